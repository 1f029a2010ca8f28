#pragma once

#include <chrono>
#include <cstddef>

#include "diagnosis/evidence.hpp"
#include "skewguard/time.hpp"

/// How the trials of one call stand to each other. Pure.
namespace skewguard::diagnosis {

/// A never accepted token is new for so long: platforms spread tokens within it.
inline constexpr Duration kNewFor = std::chrono::seconds{10};

bool same_token(const Trial& a, const Trial& b);
/// The later trial's token was asked for when the earlier one had been sent: a new one, that was to
/// cure the refusal. One that lay ready tells nothing of new ones.
bool asked_for_after(const Trial& later, const Trial& earlier);
bool is_new(const Trial& trial);
/// The second token running that was taken, then refused early: someone else's takes its place.
bool contended(const Trial& trial);
/// The last trial's token had been refused in this call before.
bool tried_twice(const Evidence& evidence);
/// The refusal before this one, of the token before this one.
const Trial* token_before(const Evidence& evidence, std::size_t index);
const Trial* token_after(const Evidence& evidence, std::size_t index);

}  // namespace skewguard::diagnosis
