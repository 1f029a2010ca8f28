#pragma once

#include "emulator/fields.hpp"
#include "emulator/hosts.hpp"
#include "emulator/json.hpp"

/// What the files that answer control requests share.
namespace skewguard::emulator {

/// One control request: its fields are read and checked whole before anything is changed.
struct Order {
  World& world;
  Fields fields;
  const Now& now;
};

Reply order_done(const OrderedJson& body = {{"ok", true}});
Reply order_refused(std::string why, int status = 400);
/// The answer to most orders: how the emulator stands.
Reply order_state(Order& order);
/// "login", "api", or a complaint; nothing where it is not there.
std::optional<Host> host_field(Fields& fields);

// POST /emulator/fault, limit, token.
Reply order_fault(Order& order);
Reply order_limit(Order& order);
Reply order_token(Order& order);

OrderedJson faults_state(const World& world);
OrderedJson limit_state(const RateLimit& limit);
OrderedJson token_state(const Settings& settings);

}  // namespace skewguard::emulator
