#pragma once

#include <chrono>
#include <vector>

#include "diagnosis/evidence.hpp"
#include "skewguard/time.hpp"

/// What the Dates of one call are worth. Pure.
namespace skewguard::diagnosis {

/// One Date of the API, and the local times between which it was made.
struct Reading {
  ServerTime date;
  Instant sent;
  Instant received;
};
/// All of this call, oldest first.
std::vector<Reading> readings(const Evidence& evidence);

/// False where Dates of this call, over a second apart, show that this host's Date does not move as
/// one or several clocks do, where the API took a token that had ended by that Date, or where the
/// look that evidence rule 5 asks for brought none.
bool dates_count(const Evidence& evidence);
/// False where the login host's Date is surely no clock's: the Dates of two tokens' answers do not
/// move as a clock does, or are off the API's by more than any clock is, or the API took a token
/// that had ended by them. Then the times that a token has from that Date alone are not known.
bool issuer_dates_count(const Evidence& evidence);
/// Evidence rule 5: two Dates of the API, at least a second apart, are at hand, and they moved as a
/// clock's.
bool date_seen_again(const Evidence& evidence);
/// Evidence rule 5 for the login host: what its Dates tell of these two tokens needs two that
/// moved.
bool issuer_borne_out(const Evidence& evidence, const Trial& one, const Trial& other);

}  // namespace skewguard::diagnosis
