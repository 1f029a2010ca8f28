#include "system/identity.hpp"

#include <filesystem>
#include <fstream>
#include <system_error>

namespace skewguard::system {
namespace {

/// "+7200.0": numbers of namespaces are used again, so it takes what sets it apart.
std::string boot_offset() {
  std::ifstream file("/proc/self/timens_offsets");
  std::string clock, seconds, nanoseconds;
  while (file >> clock >> seconds >> nanoseconds) {
    if (clock == "boottime") return "+" + seconds + "." + nanoseconds;
  }
  return "";
}

}  // namespace

std::optional<std::string> boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  if (!std::getline(file, id) || id.empty()) return std::nullopt;
  return id;
}

std::optional<std::string> time_namespace() {
  std::error_code error;
  const auto target = std::filesystem::read_symlink("/proc/self/ns/time", error);
  if (error) return std::nullopt;
  return target.string() + boot_offset();
}

}  // namespace skewguard::system
