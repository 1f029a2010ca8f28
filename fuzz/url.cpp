#include "http/url.hpp"

#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace skewguard;
  const auto text = fuzz::as_text(data, size);
  fuzz::require(http::valid_field_value(http::form_encode(text).view()),
                "a form value is plain ASCII");
  const auto url = http::parse_url(text);
  if (!url) {
    fuzz::require(url.error().kind == ErrorKind::config, "a URL refused is a wrong setting");
    return 0;
  }
  fuzz::require(url->port != 0 && !url->host.empty(), "a URL names host and port");
  fuzz::require(url->target.starts_with('/'), "a target begins with a slash");
  for (const auto& part : {url->host, url->target, url->authority()}) {
    fuzz::require(http::valid_field_value(part) && part.find(' ') == std::string::npos,
                  "no part can end a line or a field");
  }
  const auto again = http::parse_url(url->text());
  fuzz::require(again.ok(), "a URL reads back");
  fuzz::require(again->text() == url->text() && again->host == url->host &&
                    again->port == url->port && again->loopback() == url->loopback(),
                "a URL reads back as it was written");
  return 0;
}
