#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <utility>

#include "proxy/event_loop.hpp"
#include "proxy/metrics.hpp"
#include "skewguard/client.hpp"
#include "skewguard/testing.hpp"

namespace skewguard::proxy {

/// A worker's loop beside a client on virtual time.
class WithClient : public ::testing::Test {
 protected:
  WithClient() {
    auto made = Client::make(environment.options(), {}, environment.dependencies());
    if (!made) std::abort();
    client = std::make_unique<Client>(*std::move(made));
  }

  /// Lets both loops do what there is to do.
  void pass(Duration time = std::chrono::seconds{1}) {
    environment.machine().advance(time);
    loop.poll();
    environment.machine().run();
    loop.poll();
  }

  skewguard::testing::TestEnvironment environment;
  EventLoop loop;
  Metrics metrics;
  std::unique_ptr<Client> client;
};

}  // namespace skewguard::proxy
