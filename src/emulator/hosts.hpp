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
};

Reply answer_login(const Visit& visit);
Reply answer_api(const Visit& visit);
Reply answer_control(World& world, const ServerRequest& request, const Now& now);

/// Error bodies (GENESYS.md 2.1 and 2.2).
Reply login_error(int status, std::string error, std::string description, std::string outcome);
Reply api_error(int status, std::string code, std::string message, const std::string& correlation);
/// For all hosts: a JSON body, not to be cached.
Reply json_reply(int status, std::string body, std::string outcome);

}  // namespace skewguard::emulator
