// A secret comes out through reveal() alone. Each case must not compile; what stands beside it
// must.
#include <ostream>
#include <string>

#include "skewguard/secret.hpp"

using namespace skewguard;

void told(std::ostream& out, const Secret& secret) {
  out << secret.redacted();
}
std::string taken_out(const Secret& secret) {
  return std::string(secret.reveal());
}
Secret put_in(std::string text) {
  return Secret(std::move(text));
}

#ifdef CASE_streamed
void wrong(std::ostream& out, const Secret& secret) {
  out << secret;
}
#endif
#ifdef CASE_to_string
std::string wrong(const Secret& secret) {
  return secret;
}
#endif
#ifdef CASE_to_view
std::string_view wrong(const Secret& secret) {
  return secret;
}
#endif
#ifdef CASE_from_text
Secret wrong(std::string text) {
  return text;
}
#endif
#ifdef CASE_appended
std::string wrong(const Secret& secret) {
  return "Bearer " + secret;
}
#endif
#ifdef CASE_formatted
#include <fmt/format.h>
void wrong(const Secret& secret) {
  fmt::print("{}", secret);
}
#endif
