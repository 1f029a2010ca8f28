#include "genesys/regions.hpp"

#include <algorithm>
#include <array>
#include <ranges>

#include "base/nearest.hpp"
#include "base/strings.hpp"

namespace skewguard::genesys {
namespace {

// docs/platform.md section 1.1. The list grows: any other domain is used unchanged.
constexpr std::array<Region, 18> kRegions{{
    {"us-east-1", "mypurecloud.com"},
    {"us-west-2", "usw2.pure.cloud"},
    {"us-east-2", "use2.us-gov-pure.cloud"},  // FedRAMP
    {"ca-central-1", "cac1.pure.cloud"},
    {"mx-central-1", "mxc1.pure.cloud"},
    {"sa-east-1", "sae1.pure.cloud"},
    {"eu-west-1", "mypurecloud.ie"},
    {"eu-west-2", "euw2.pure.cloud"},
    {"eu-central-1", "mypurecloud.de"},
    {"eu-central-2", "euc2.pure.cloud"},
    {"ap-south-1", "aps1.pure.cloud"},
    {"ap-southeast-1", "apse1.pure.cloud"},
    {"ap-southeast-2", "mypurecloud.com.au"},
    {"ap-northeast-1", "mypurecloud.jp"},
    {"ap-northeast-2", "apne2.pure.cloud"},
    {"ap-northeast-3", "apne3.pure.cloud"},
    {"me-central-1", "mec1.pure.cloud"},
    {"eusc-de-east-1", "edee1.eusc-pure.cloud"},  // EU Sovereign
}};

constexpr std::size_t kMaxDomainBytes = 253;  // RFC 1035 section 2.3.4
constexpr std::size_t kMaxLabelBytes = 63;

constexpr bool label_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

bool valid_label(std::string_view label) noexcept {
  return !label.empty() && label.size() <= kMaxLabelBytes && label.front() != '-' &&
         label.back() != '-' && std::ranges::all_of(label, label_character);
}

/// Two labels or more, lower case.
bool valid_domain(std::string_view domain) noexcept {
  if (domain.size() > kMaxDomainBytes) return false;
  std::size_t labels = 0;
  while (true) {
    const std::size_t dot = domain.find('.');
    if (!valid_label(domain.substr(0, dot))) return false;
    ++labels;
    if (dot == std::string_view::npos) return labels > 1;
    domain.remove_prefix(dot + 1);
  }
}

/// What people paste: "https://apps.mypurecloud.ie/" names mypurecloud.ie.
std::string_view bare_domain(std::string_view text) noexcept {
  constexpr std::string_view kScheme = "https://";
  if (text.starts_with(kScheme)) text.remove_prefix(kScheme.size());
  while (text.ends_with('/')) text.remove_suffix(1);
  for (const std::string_view host : {"login.", "api.", "apps."}) {
    if (!text.starts_with(host)) continue;
    text.remove_prefix(host.size());
    break;
  }
  return text;
}

RegionUrls urls_below(std::string_view domain) {
  const std::string name(domain);
  return {.domain = name, .login_url = "https://login." + name, .api_url = "https://api." + name};
}

/// The message contains the region as typed, unless it could garble a terminal.
std::string quoted(std::string_view text) {
  constexpr std::size_t kMaxShown = 64;
  const bool plain = std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
  if (!plain || text.size() > kMaxShown) return "given";
  return "\"" + std::string(text) + "\"";
}

Error unknown_region(std::string_view typed, std::string_view name) {
  Error error{.kind = ErrorKind::config,
              .message = "the region " + quoted(typed) + " is not known",
              .remedy = "use a domain such as mypurecloud.ie or an AWS name such as eu-west-1"};
  const auto meant = nearest(name, kRegions | std::views::transform(&Region::aws));
  if (!meant) return error;
  const auto* region = std::ranges::find(kRegions, *meant, &Region::aws);
  error.remedy = "did you mean " + std::string(*meant) + " (" + std::string(region->domain) + ")?";
  return error;
}

}  // namespace

std::span<const Region> regions() noexcept {
  return kRegions;
}

Result<RegionUrls> urls_of(std::string_view region) {
  std::string name = to_lower(trim(region));
  if (name.find('.') != std::string::npos) {
    const std::string_view domain = bare_domain(name);
    if (valid_domain(domain)) return urls_below(domain);
    return Error{.kind = ErrorKind::config,
                 .message = "the region " + quoted(region) + " is not a domain",
                 .remedy = "use a domain such as mypurecloud.ie or an AWS name such as eu-west-1"};
  }
  std::ranges::replace(name, '_', '-');
  const auto* known = std::ranges::find(kRegions, name, &Region::aws);
  if (known != kRegions.end()) return urls_below(known->domain);
  return unknown_region(region, name);
}

}  // namespace skewguard::genesys
