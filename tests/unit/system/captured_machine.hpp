#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "system/files.hpp"
#include "system/time_service.hpp"

namespace skewguard::system {

/// A machine of captured files and of programs that say what they once said.
class CapturedMachine : public testing::Test {
 public:
  CapturedMachine() { EXPECT_NE(::mkdtemp(root.data()), nullptr); }
  ~CapturedMachine() override { std::filesystem::remove_all(root); }
  CapturedMachine(const CapturedMachine&) = delete;
  CapturedMachine& operator=(const CapturedMachine&) = delete;

 protected:
  void put(const std::string& path, std::string_view text = "") const {
    std::filesystem::create_directories(std::filesystem::path(root + path).parent_path());
    std::ofstream(root + path) << text;
  }
  void install(const std::string& path) const {
    put(path);
    std::filesystem::permissions(root + path, std::filesystem::perms::owner_all);
  }
  /// A process as in /proc; `state`: S sleeps, Z has ended.
  void start(const std::string& pid, const std::string& name, std::string_view state = "S") const {
    put("/proc/" + pid + "/stat", pid + " (" + name + ") " + std::string(state) + " 1 1 0");
  }
  void says(const std::string& command, const std::string& text) { said[command] = text; }

  [[nodiscard]] Files files() const { return Files(root); }
  [[nodiscard]] std::vector<TimeService> services(const TimeServiceOptions& options = {}) {
    return time_services(files(), options, [this](const std::vector<std::string>& words) {
      std::string command;
      for (const std::string& word : words) command += (command.empty() ? "" : " ") + word;
      asked.push_back(command);
      const auto found = said.find(command);
      if (found != said.end()) return Result<std::string>(found->second);
      return Result<std::string>(
          Error{.kind = ErrorKind::timeout, .message = "does not answer in time", .remedy = ""});
    });
  }

  std::string root = testing::TempDir() + "machine-XXXXXX";
  std::map<std::string, std::string> said;
  std::vector<std::string> asked;
};

}  // namespace skewguard::system
