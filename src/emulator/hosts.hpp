#pragma once

#include <chrono>
#include <string>

#include "emulator/cloud_emulator.hpp"

/// How each host answers. CloudEmulator picks the clock, adds the Date and counts.
namespace skewguard::emulator {

/// A request being answered.
struct Visit {
  CloudEmulator& cloud;
  const ServerRequest& request;
  std::chrono::seconds date;  ///< by the answering host's clock; what its Date will say
  std::string correlation;
  RequestRecord& record;  ///< the answer fills in what it learns: token, body
  Duration age;           ///< true time since the emulator's start
  HostTime reading;       ///< the answering host's clock, of which `date` is the whole second
};

Reply answer_login(const Visit& visit);
Reply answer_api(const Visit& visit);
/// The answer of a fault, instead of a host's.
Reply answer_in_place(const Visit& visit, const Effect& effect);
/// Applies the fault to the answer with an issued token.
void spoil_token(Reply& reply, const Visit& visit, const Effect& effect);
Reply answer_control(CloudEmulator& cloud, const ServerRequest& request, const Now& now);

struct IssuedToken {
  TokenRecord& record;
  Secret value;
};
/// Issues and records a token. It becomes valid at `date`, the whole second of its issue by the
/// login host's clock. The token rules decide what happens to the client's other tokens.
IssuedToken issue_token(CloudEmulator& cloud, const Client& client, std::chrono::seconds date,
                        Duration age);
/// The token of an API request, if it has exactly one; noted in the record.
struct Presented {
  std::string_view value;  ///< empty = no bearer token
  TokenRecord* token = nullptr;
};
Presented presented_token(const Visit& visit);

/// Error bodies (docs/platform.md 2.1 and 2.2).
Reply login_error(int status, std::string error, std::string description, std::string outcome);
Reply api_error(int status, std::string code, std::string message, const std::string& correlation);
/// For both hosts: a JSON body that must not be cached.
Reply json_reply(int status, std::string body, std::string outcome);

}  // namespace skewguard::emulator
