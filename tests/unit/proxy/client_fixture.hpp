#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <utility>

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
    io.restart();
    io.poll();
    environment.machine().run();
    io.restart();
    io.poll();
  }

  skewguard::testing::TestEnvironment environment;
  boost::asio::io_context io{1};
  Metrics metrics;
  std::unique_ptr<Client> client;
};

}  // namespace skewguard::proxy
