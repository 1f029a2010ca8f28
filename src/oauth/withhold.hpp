#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "skewguard/http.hpp"

/// A server may echo what it was sent, and its words go to logs and reports.
namespace skewguard::oauth {

/// `text` with "***" for each of `secrets`; empty ones are left alone.
std::string without_secrets(std::string text, std::initializer_list<std::string_view> secrets);

/// The same for the body and the header values of an answer. To be done before its words are cut to
/// a readable length: of a secret that was cut nobody would know what it was.
Exchange without_secrets(const Exchange& answer, std::initializer_list<std::string_view> secrets);

}  // namespace skewguard::oauth
