#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "c/abi.hpp"
#include "skewguard/error.hpp"
#include "skewguard/http.hpp"
#include "skewguard/result.hpp"
#include "skewguard/time.hpp"

/// What C programs pass in, in the library's own types.
namespace skewguard::c {

/// Null is empty.
inline std::string_view text_of(const char* text) noexcept {
  return text == nullptr ? std::string_view() : std::string_view(text);
}

Now now_of(const skewguard_moment& moment) noexcept;
void write_moment(const Now& now, skewguard_moment& into) noexcept;

/// What is wrong with it; empty if it can be read.
std::optional<Error> check_answer(const skewguard_answer* answer);
/// A field with its name and value in the library's own strings. Null pointers are empty.
HeaderField field_of(const skewguard_field& field);
/// The whole answer; a checked one. `received`: what stands for a moment that was not read.
Exchange exchange_of(const skewguard_answer& answer, const Now& received);
/// What Client::observe() looks at: a few fields, and no body.
AnswerHead observed_head_of(const skewguard_answer& answer, const Now& received);

}  // namespace skewguard::c
