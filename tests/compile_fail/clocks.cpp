// Times of different clocks do not mix. Each case must not compile; what stands beside it must.
#include "skewguard/time.hpp"

using namespace skewguard;

Duration elapsed(Instant from, Instant to) {
  return to - from;
}
bool before(WallTime a, WallTime b) {
  return a < b;
}
std::optional<Duration> elapsed(ServerTime from, ServerTime to) {
  return to.since(from);
}
OffsetBound around(Duration offset) {
  return {offset, offset};
}

#ifdef CASE_wall_minus_instant
Duration wrong(WallTime wall, Instant boot) {
  return wall - boot;
}
#endif
#ifdef CASE_instant_minus_monotonic
Duration wrong(Instant boot, MonotonicTime mono) {
  return boot - mono;
}
#endif
#ifdef CASE_monotonic_minus_raw
Duration wrong(MonotonicTime mono, RawTime raw) {
  return mono - raw;
}
#endif
#ifdef CASE_instant_before_wall
bool wrong(Instant boot, WallTime wall) {
  return boot < wall;
}
#endif
#ifdef CASE_server_minus_server
Duration wrong(ServerTime login, ServerTime api) {
  return login - api;
}
#endif
#ifdef CASE_server_before_server
bool wrong(ServerTime login, ServerTime api) {
  return login < api;
}
#endif
#ifdef CASE_server_minus_wall
Duration wrong(ServerTime login, WallTime wall) {
  return login - wall;
}
#endif
#ifdef CASE_instant_from_wall
Instant wrong(WallTime wall) {
  return wall;
}
#endif
#ifdef CASE_instant_from_server
Instant wrong(ServerTime login) {
  return login;
}
#endif
#ifdef CASE_server_from_duration
ServerTime wrong(Duration since_epoch) {
  return since_epoch;
}
#endif
#ifdef CASE_bound_from_duration
OffsetBound wrong(Duration offset) {
  return offset;
}
#endif
#ifdef CASE_boot_clock_now
Instant wrong() {
  return BootClock::now();
}
#endif
