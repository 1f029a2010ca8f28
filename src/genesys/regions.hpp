#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "skewguard/result.hpp"

namespace skewguard::genesys {

struct Region {
  std::string_view aws;     ///< "eu-west-1"
  std::string_view domain;  ///< "mypurecloud.ie"
};
/// All 18 (docs/platform.md section 1.1).
std::span<const Region> regions() noexcept;

struct RegionUrls {
  std::string domain;
  std::string login_url;  ///< https://login.<domain>
  std::string api_url;    ///< https://api.<domain>
};
/// The URLs for a domain (any value with a dot: "mypurecloud.ie", also prefixed with login., api.
/// or apps., or with https:// and a slash) or an AWS name, with hyphens or underscores, in any
/// case. The error names the nearest known region.
Result<RegionUrls> urls_of(std::string_view region);

}  // namespace skewguard::genesys
