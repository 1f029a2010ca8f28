#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "skewguard/secret.hpp"

namespace skewguard::oauth {

/// Replaces with "***" every run of eight characters in a server's `words` that occurs in one of
/// `secrets` (or the whole secret, if it is shorter): a server may echo what it was sent,
/// completely or in part, and its words go to logs and reports. Also hides the beginning of a
/// secret where the words were truncated ("..."). Secrets of under four characters are not hidden.
std::string withhold(std::string words, std::initializer_list<std::string_view> secrets);
std::string withhold(std::string words, std::span<const Secret> secrets);

}  // namespace skewguard::oauth
