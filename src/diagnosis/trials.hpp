#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "diagnosis/evidence.hpp"
#include "skewguard/time.hpp"

/// How the trials of one call stand to each other. Pure.
namespace skewguard::diagnosis {

/// A never accepted token is new for so long: platforms spread tokens within it.
inline constexpr Duration kNewFor = std::chrono::seconds{10};

/// A token that was refused in this call is not sent again within so long.
inline constexpr Duration kSendsApart = std::chrono::milliseconds{500};

bool same_token(const Trial& a, const Trial& b);
/// From when on the token of this generation may be sent (again).
Instant next_send(const std::vector<Trial>& trials, std::uint64_t generation);
/// The later trial's token was asked for when the earlier one had been sent: a new one, that was to
/// cure the refusal. One that lay ready tells nothing of new ones.
bool asked_for_after(const Trial& later, const Trial& earlier);
bool is_new(const Trial& trial);
/// The second token running that was taken, then refused early: someone else's takes its place.
bool contended(const Trial& trial);
/// How often the last trial's token has been refused in this call: 1 or more.
std::size_t refusals_of_last(const Evidence& evidence);
/// How many tokens have been refused in this call.
std::size_t tokens_refused(const Evidence& evidence);
/// How many of them were asked for in order to cure an earlier refusal of this call.
std::size_t cures_refused(const Evidence& evidence);
/// The refusal, earlier in this call, of the token that was issued before this trial's; null where
/// that was not refused. An older token may have been tried between the two.
const Trial* token_before(const Evidence& evidence, std::size_t index);
/// Likewise later in this call, of the token that was issued next.
const Trial* token_after(const Evidence& evidence, std::size_t index);

}  // namespace skewguard::diagnosis
