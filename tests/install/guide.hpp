// What the examples of docs/guide/library.md have at hand.
#include <chrono>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "skewguard/client.hpp"
#include "skewguard/testing.hpp"

struct Got {
  int status;
  std::string date, challenge, body;
};
struct Stack {
  std::optional<Got> get(std::string_view path, std::string_view authorization);
};
extern Stack my_stack;
extern skewguard::Client* client;
extern skewguard::Result<skewguard::Response> me;
extern skewguard::ClientOptions options;
extern skewguard::Hooks hooks;
void log(std::string_view line);
void stop_asking();
void try_later();
