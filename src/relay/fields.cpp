#include "relay/fields.hpp"

#include <cstring>

namespace skewguard::relay {
namespace {

/// Eight letters, digits or hyphens in lower case.
std::uint64_t lower_eight(const char* text) noexcept {
  constexpr std::uint64_t kLower = 0x2020202020202020U;
  std::uint64_t eight = 0;
  std::memcpy(&eight, text, sizeof(eight));
  return eight | kLower;
}

/// `known` if `name`, a token, is `lower` in any case. Both have the same size. Eight characters at
/// a time: this runs for each field of each head.
FieldName if_equal(std::string_view name, std::string_view lower, FieldName known) noexcept {
  constexpr std::size_t kStep = sizeof(std::uint64_t);
  if (name.size() < kStep) return iequals(name, lower) ? known : FieldName::other;
  const std::size_t last = name.size() - kStep;
  for (std::size_t at = 0; at < last; at += kStep) {
    if (lower_eight(name.data() + at) != lower_eight(lower.data() + at)) return FieldName::other;
  }
  const bool equal = lower_eight(name.data() + last) == lower_eight(lower.data() + last);
  return equal ? known : FieldName::other;
}

FieldName long_name(std::string_view name) noexcept {
  switch (name.size()) {
    case 16:
      if (ascii_lower(name[0]) == 'c')
        return if_equal(name, "content-encoding", FieldName::content_encoding);
      return if_equal(name, "proxy-connection", FieldName::proxy_connection);
    case 17:
      if (ascii_lower(name[0]) == 't')
        return if_equal(name, "transfer-encoding", FieldName::transfer_encoding);
      return if_equal(name, "skewguard-verdict", FieldName::skewguard_verdict);
    case 18:
      if (ascii_lower(name[0]) == 's')
        return if_equal(name, "skewguard-attempts", FieldName::skewguard_attempts);
      return if_equal(name, "proxy-authenticate", FieldName::proxy_authenticate);
    case 19:
      return if_equal(name, "proxy-authorization", FieldName::proxy_authorization);
    default:
      return FieldName::other;
  }
}

FieldName short_name(std::string_view name) noexcept {
  switch (name.size()) {
    case 2:
      return if_equal(name, "te", FieldName::te);
    case 4:
      if (ascii_lower(name[0]) == 'h') return if_equal(name, "host", FieldName::host);
      return if_equal(name, "date", FieldName::date);
    case 6:
      if (ascii_lower(name[0]) == 'c') return if_equal(name, "cookie", FieldName::cookie);
      if (ascii_lower(name[0]) == 'e') return if_equal(name, "expect", FieldName::expect);
      return if_equal(name, "origin", FieldName::origin);
    case 7:
      if (ascii_lower(name[0]) == 't') return if_equal(name, "trailer", FieldName::trailer);
      return if_equal(name, "upgrade", FieldName::upgrade);
    case 8:
      return if_equal(name, "location", FieldName::location);
    default:
      return FieldName::other;
  }
}

}  // namespace

FieldName field_name(std::string_view name) noexcept {
  switch (name.size()) {
    case 10:
      if (ascii_lower(name[0]) == 'c') return if_equal(name, "connection", FieldName::connection);
      return if_equal(name, "keep-alive", FieldName::keep_alive);
    case 12:
      return if_equal(name, "content-type", FieldName::content_type);
    case 13:
      return if_equal(name, "authorization", FieldName::authorization);
    case 14:
      if (ascii_lower(name[0]) == 'c')
        return if_equal(name, "content-length", FieldName::content_length);
      if (ascii_lower(name[0]) == 'h')
        return if_equal(name, "http2-settings", FieldName::http2_settings);
      return if_equal(name, "sec-fetch-site", FieldName::sec_fetch_site);
    default:
      return name.size() < 10 ? short_name(name) : long_name(name);
  }
}

std::optional<std::string_view> Fields::find(FieldName name) const noexcept {
  for (const Field field : *this)
    if (field.known == name) return field.value;
  return std::nullopt;
}

std::optional<std::string_view> Fields::find(std::string_view name) const noexcept {
  for (const Field field : *this)
    if (iequals(field.name, name)) return field.value;
  return std::nullopt;
}

}  // namespace skewguard::relay
