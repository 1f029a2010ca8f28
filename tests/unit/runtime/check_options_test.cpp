#include "runtime/check_options.hpp"

#include <gtest/gtest.h>

namespace skewguard::runtime {
namespace {

using std::chrono::hours;
using std::chrono::nanoseconds;

ClientOptions usable() {
  ClientOptions options;
  options.login_url = "https://login.example.com";
  options.api_url = "https://api.example.com";
  options.client_id = "demo";
  return options;
}

struct Bound {
  Duration ClientOptions::* option;
  Duration least;
  Duration most;
};

TEST(CheckOptions, TakesDurationsUpToTheirBoundsAndNoFurther) {
  for (const Bound& bound : {
           Bound{&ClientOptions::timeout, nanoseconds{1}, hours{24}},
           Bound{&ClientOptions::max_wait, Duration{0}, hours{24}},
           Bound{&ClientOptions::staleness, Duration{0}, hours{1}},
       }) {
    const auto with = [&](Duration value) {
      ClientOptions options = usable();
      options.*bound.option = value;
      return check_options(options);
    };
    EXPECT_TRUE(with(bound.least));
    EXPECT_TRUE(with(bound.most));
    for (const Duration beyond : {bound.least - nanoseconds{1}, bound.most + nanoseconds{1}}) {
      const auto checked = with(beyond);
      ASSERT_FALSE(checked);
      EXPECT_EQ(checked.error().kind, ErrorKind::config);
    }
  }
}

}  // namespace
}  // namespace skewguard::runtime
