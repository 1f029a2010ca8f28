#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "diagnosis/evidence.hpp"
#include "skewguard/time.hpp"

/// How the trials of one call relate to each other. Pure.
namespace skewguard::diagnosis {

/// How long a token that was never accepted counts as new: platforms propagate tokens within this
/// time.
inline constexpr Duration kNewFor = std::chrono::seconds{10};

/// The least time before a token that was refused in this call is sent again.
inline constexpr Duration kSendsApart = std::chrono::milliseconds{500};

bool same_token(const Trial& a, const Trial& b);
/// When the token of this generation may be sent (again).
Instant next_send(const std::vector<Trial>& trials, std::uint64_t generation);
/// Whether the later trial's token was requested after the earlier one was sent: a new one, meant
/// to cure the refusal. A prefetched one says nothing about new ones.
bool asked_for_after(const Trial& later, const Trial& earlier);
bool is_new(const Trial& trial);
/// The second consecutive token that was accepted, then refused early: someone else's replaces it.
bool contended(const Trial& trial);
/// How often the last trial's token has been refused in this call: 1 or more.
std::size_t refusals_of_last(const Evidence& evidence);
/// How many tokens have been refused in this call.
std::size_t tokens_refused(const Evidence& evidence);
/// How many of them were requested to cure an earlier refusal in this call.
std::size_t cures_refused(const Evidence& evidence);
/// The refusal, earlier in this call, of the token that was issued before this trial's; null if it
/// was not refused. An older token may have been tried in between.
const Trial* token_before(const Evidence& evidence, std::size_t index);
/// Likewise later in this call, of the token that was issued next.
const Trial* token_after(const Evidence& evidence, std::size_t index);

}  // namespace skewguard::diagnosis
