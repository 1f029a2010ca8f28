#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "doctor/survey.hpp"

/// Clock readings as JSON (docs/contract.md section 6) and as text, for `skew` and `doctor`.
namespace skewguard::cli {

nlohmann::ordered_json to_json(const doctor::ClockReading& reading);
nlohmann::ordered_json to_json(const doctor::NtpReading& reading);
nlohmann::ordered_json to_json(const doctor::HostReading& reading);

/// The survey options from the session's settings.
doctor::SurveyOptions survey_options(std::vector<http::Url> servers, const Session& session);
/// Shows the progress on one line of a terminal; nothing elsewhere, or if `quiet`.
doctor::Progress progress_of(const Session& session, bool quiet);

/// "ahead, harmful": a server's clock against this machine's.
std::string state_of(const doctor::ClockReading& reading, bool harmful);

}  // namespace skewguard::cli
