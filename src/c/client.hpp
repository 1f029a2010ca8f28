#pragma once

#include <memory>
#include <utility>

#include "c/abi.hpp"
#include "skewguard/client.hpp"

struct skewguard_client {
  skewguard_client(skewguard::Client from, std::shared_ptr<skewguard::ClockSource> its_clock)
      : client(std::move(from)), clock(std::move(its_clock)) {}

  skewguard::Client client;
  std::shared_ptr<skewguard::ClockSource> clock;  // the client's; its calls use it beyond its end
};
