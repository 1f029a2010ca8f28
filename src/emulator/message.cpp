#include "emulator/message.hpp"

#include "emulator/encoding.hpp"

namespace skewguard::emulator {
namespace {

/// What follows scheme and authority of an absolute target; else all of it.
std::string_view without_origin(std::string_view target) noexcept {
  const auto scheme = target.find("://");
  if (target.starts_with('/') || scheme == std::string_view::npos) return target;
  const auto path = target.find_first_of("/?", scheme + 3);
  return path == std::string_view::npos ? std::string_view{"/"} : target.substr(path);
}

}  // namespace

std::string_view to_string(Host host) noexcept {
  return host == Host::login ? "login" : "api";
}

std::string_view to_string(Delivery::Kind kind) noexcept {
  using Kind = Delivery::Kind;
  switch (kind) {
    case Kind::whole:
      return "whole";
    case Kind::cut:
      return "cut";
    case Kind::reset:
      return "reset";
    case Kind::slow:
      return "slow";
    case Kind::silence:
      return "silence";
    case Kind::drop:
      return "drop";
  }
  return "whole";
}

ServerRequest as_received(const HttpRequest& request, std::uint64_t connection) {
  ServerRequest out{request.method, std::string(without_origin(request.url)), request.headers,
                    std::string(request.body.reveal()), connection};
  if (!request.authorization.empty()) {
    out.headers.add("Authorization", std::string(request.authorization.reveal()));
  }
  return out;
}

std::optional<Target> parse_target(std::string_view target) {
  target = without_origin(target);
  const auto mark = target.find('?');
  auto query =
      parse_form(mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1));
  if (!query) return std::nullopt;
  return Target{std::string(target.substr(0, mark)), std::move(*query)};
}

}  // namespace skewguard::emulator
