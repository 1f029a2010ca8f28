#pragma once

#include <dirent.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "skewguard/token_store.hpp"
#include "store/digest.hpp"

namespace skewguard::store {

inline const std::string kKey(64, 'a');

inline std::vector<std::string> names_in_folder(const std::string& path) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

/// A folder of this test's own, gone with it; in memory where that can be, since hundreds of fsyncs
/// on a busy disk take seconds.
class TestFolder {
 public:
  TestFolder() {
    for (const std::string& base : {std::string("/dev/shm/"), testing::TempDir()}) {
      path_ = base + "skewguard-store-XXXXXX";
      if (::mkdtemp(path_.data()) != nullptr) return;
    }
    std::abort();
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(std::string_view name) const {
    return path_ + "/" + std::string(name);
  }
  [[nodiscard]] std::vector<std::string> names() const { return names_in_folder(path_); }

 private:
  std::string path_;
};

/// As an attacker or a bug would: another content with a digest that is right.
inline std::string resealed(std::string content) {
  content.resize(content.find(",\n  \"digest\""));
  return content + ",\n  \"digest\": \"" + sha256_hex(content) + "\"\n}\n";
}

inline std::string with(std::string text, std::string_view part, std::string_view instead) {
  const auto at = text.find(part);
  if (at == std::string::npos) std::abort();
  return text.replace(at, part.size(), instead);
}

inline std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
/// As one of ours: mode 0600.
inline void put(const std::string& path, std::string_view content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
  if (::chmod(path.c_str(), 0600) != 0) std::abort();
}
inline unsigned mode_of(const std::string& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0 ? status.st_mode & 07777U : 0U;
}
inline std::ptrdiff_t open_descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

/// The wait status of a child that does this and ends with what it returns.
template <typename What>
int in_child(const What& what) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(what());
  int status = -1;
  if (child < 0 || ::waitpid(child, &status, 0) != child) std::abort();
  return status;
}

}  // namespace skewguard::store
