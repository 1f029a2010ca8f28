#pragma once

#include <chrono>
#include <string>

#include "emulator/world.hpp"

/// How each host answers. World picks the clock, stamps the Date and counts.
namespace skewguard::emulator {

/// One request being answered.
struct Visit {
  World& world;
  const ServerRequest& request;
  std::chrono::seconds date;  ///< by the answering host's clock; what its Date will say
  std::string correlation;
  RequestRecord& record;  ///< the answer fills in what it learns: token, body
  Duration age;           ///< true time since the emulator's start
  HostTime reading;       ///< the answering host's clock, of which `date` is the whole second
};

Reply answer_login(const Visit& visit);
Reply answer_api(const Visit& visit);
/// What a fault has answered in place of either.
Reply answer_in_place(const Visit& visit, const Effect& effect);
/// Does to an issued token's answer what the fault says.
void spoil_token(Reply& reply, const Visit& visit, const Effect& effect);
Reply answer_control(World& world, const ServerRequest& request, const Now& now);

struct IssuedToken {
  TokenRecord& record;
  Secret value;
};
/// Makes a token and writes it down: it begins at `date`, the whole second of its issue by the
/// login host's clock. Other tokens of the client fare as the rules say.
IssuedToken issue_token(World& world, const Client& client, std::chrono::seconds date,
                        Duration age);
/// The token that an API request carries, where it carries one alone; the record learns of it.
struct Presented {
  std::string_view value;  ///< empty = no bearer token
  TokenRecord* token = nullptr;
};
Presented presented_token(const Visit& visit);

/// Error bodies (docs/platform.md 2.1 and 2.2).
Reply login_error(int status, std::string error, std::string description, std::string outcome);
Reply api_error(int status, std::string code, std::string message, const std::string& correlation);
/// For all hosts: a JSON body, not to be cached.
Reply json_reply(int status, std::string body, std::string outcome);

}  // namespace skewguard::emulator
