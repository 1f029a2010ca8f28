#pragma once

#include <chrono>
#include <vector>

#include "diagnosis/evidence.hpp"
#include "skewguard/time.hpp"

/// How far the Dates of one call can be trusted. Pure.
namespace skewguard::diagnosis {

/// One Date of the API, and the local times between which it was written.
struct Reading {
  ServerTime date;
  Instant sent;
  Instant received;
};
/// All of this call, oldest first.
std::vector<Reading> readings(const Evidence& evidence);

/// False if Dates of this call, over a second apart, show that this host's Date does not move like
/// one or several clocks; if the API accepted a token that had expired by that Date; or if the look
/// that evidence rule 5 requires brought none.
bool dates_count(const Evidence& evidence);
/// False if the login host's Date certainly does not come from a clock: the Dates of two token
/// answers do not move like a clock, or are further from the API's than any clock is, or the API
/// accepted a token that had expired by them. Then the times of a token that rest only on that Date
/// are unknown.
bool issuer_dates_count(const Evidence& evidence);
/// Evidence rule 5: there are two Dates of the API, at least a second apart, and they moved like a
/// clock.
bool date_seen_again(const Evidence& evidence);
/// Evidence rule 5 for the login host: conclusions from its Dates about these two tokens need two
/// Dates that moved.
bool issuer_borne_out(const Evidence& evidence, const Trial& one, const Trial& other);

}  // namespace skewguard::diagnosis
