#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "skewguard/secret.hpp"

namespace skewguard::oauth {

/// `words` of a server, or a message that quotes them, with "***" wherever eight characters running
/// are those of one of `secrets` (all of it, where it is shorter): a server may echo what it was
/// sent, whole, in part or cut, and its words go to logs and reports. What begins like a secret
/// where the words were cut ("...") goes too. Secrets of under four characters hide nothing.
std::string withhold(std::string words, std::initializer_list<std::string_view> secrets);
std::string withhold(std::string words, std::span<const Secret> secrets);

}  // namespace skewguard::oauth
