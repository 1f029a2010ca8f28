#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/strings.hpp"

namespace skewguard::relay {

inline constexpr std::size_t kMaxFields = 100;

/// The fields that mean something to the relay; `other` for the rest.
enum class FieldName : std::uint8_t {
  other,
  authorization,
  connection,
  content_encoding,
  content_length,
  content_type,
  cookie,
  date,
  expect,
  host,
  http2_settings,
  keep_alive,
  location,
  origin,
  proxy_authenticate,
  proxy_authorization,
  proxy_connection,
  sec_fetch_site,
  skewguard_attempts,
  skewguard_verdict,
  te,
  trailer,
  transfer_encoding,
  upgrade,
};
/// `name` is a token (RFC 9110 section 5.6.2); its case is ignored.
FieldName field_name(std::string_view name) noexcept;

/// One field as received: the name in its spelling, the value without spaces and tabs around it.
struct Field {
  std::string_view name;
  std::string_view value;
  FieldName known = FieldName::other;
};

/// The fields of a head, in order: views into the bytes that were read. About 1 KiB.
class Fields {
 public:
  class Iterator {
   public:
    Iterator(const Fields& fields, std::size_t at) noexcept : fields_(&fields), at_(at) {}
    Field operator*() const noexcept { return (*fields_)[at_]; }
    Iterator& operator++() noexcept {
      ++at_;
      return *this;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) noexcept { return a.at_ == b.at_; }

   private:
    const Fields* fields_;
    std::size_t at_;
  };

  Fields() noexcept {}  // NOLINT(modernize-use-equals-default): places_ stays unset
  Fields(const Fields& other) noexcept { *this = other; }
  Fields& operator=(const Fields& other) noexcept {
    if (this == &other) return *this;
    bytes_ = other.bytes_;
    count_ = other.count_;
    std::copy_n(other.places_.begin(), count_, places_.begin());
    return *this;
  }
  ~Fields() = default;

  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  [[nodiscard]] Field operator[](std::size_t at) const noexcept {
    const Place& place = places_[at];
    return {{bytes_ + place.name, place.name_size},
            {bytes_ + place.value, place.value_size},
            place.known};
  }
  [[nodiscard]] Iterator begin() const noexcept { return {*this, 0}; }
  [[nodiscard]] Iterator end() const noexcept { return {*this, count_}; }
  /// The value of the first field of that name, which is not `other`.
  [[nodiscard]] std::optional<std::string_view> find(FieldName name) const noexcept;
  /// The value of the first field of that name, ignoring case.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;

 private:
  friend class HeadLines;
  struct Place {  // offsets, because the bytes may move while the head arrives
    std::uint16_t name;
    std::uint16_t name_size;
    std::uint16_t value;
    std::uint16_t value_size;
    FieldName known;
  };
  const char* bytes_ = nullptr;
  std::size_t count_ = 0;
  std::array<Place, kMaxFields> places_;  // the first count_ are set
};

/// Calls `use(element)` for each element of a list (RFC 9110 section 5.6.1), without the spaces
/// and tabs around it; empty ones are left out.
template <typename Use>
void for_each_element(std::string_view list, Use use) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    const std::string_view element = trim(list.substr(0, comma));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    if (!element.empty()) use(element);
  }
}

}  // namespace skewguard::relay
