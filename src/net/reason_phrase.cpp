#include "net/reason_phrase.hpp"

#include <boost/beast/http/status.hpp>
#include <ostream>  // which that header takes for granted

namespace skewguard::net {

std::string_view reason_phrase(int status) noexcept {
  namespace http = boost::beast::http;
  const auto known = http::int_to_status(static_cast<unsigned>(status));
  if (known == http::status::unknown) return {};
  const auto phrase = http::obsolete_reason(known);
  return {phrase.data(), phrase.size()};
}

}  // namespace skewguard::net
