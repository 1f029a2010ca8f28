#include "demo/catalog.hpp"

#include <array>
#include <utility>

namespace skewguard::demo {
namespace {

struct File {
  const char* name;
  const char* text;
};
constexpr File kFiles[] = {
#include "scenarios.inc"
};

}  // namespace

Result<std::vector<emulator::Scenario>> catalog() {
  std::vector<emulator::Scenario> out;
  for (const auto& file : kFiles) {
    auto scenario = emulator::parse_scenario(file.text, file.name);
    if (!scenario) return std::move(scenario).error();
    out.push_back(*std::move(scenario));
  }
  return out;
}

}  // namespace skewguard::demo
