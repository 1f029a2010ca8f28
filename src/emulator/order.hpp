#pragma once

#include "emulator/fields.hpp"
#include "emulator/hosts.hpp"
#include "emulator/json.hpp"

/// Shared by the files that answer control requests.
namespace skewguard::emulator {

/// A control request. All fields are read and validated before anything changes.
struct Order {
  CloudEmulator& cloud;
  Fields fields;
  const Now& now;
};

Reply order_done(const OrderedJson& body = {{"ok", true}});
Reply order_refused(std::string why, int status = 400);
/// The answer to most control requests: the state of the emulator.
Reply order_state(Order& order);
/// "login", "api", or an error; empty if the field is missing.
std::optional<Host> host_field(Fields& fields);

// POST /emulator/fault, limit, token.
Reply order_fault(Order& order);
Reply order_limit(Order& order);
Reply order_token(Order& order);

OrderedJson faults_state(const CloudEmulator& cloud);
OrderedJson limit_state(const RateLimit& limit);
OrderedJson token_state(const Settings& settings);

}  // namespace skewguard::emulator
