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

namespace skewguard::store {

inline const std::string kKey(64, 'a');

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
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_))
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  std::string path_;
};

inline StoredToken token_named(std::string_view name) {
  using std::chrono::seconds;
  StoredToken token;
  token.access_token = Secret(name);
  token.issued = seconds{1'767'225'600};  // 2026-01-01T00:00:00Z
  token.expires_in = seconds{86'400};
  token.boot_id = "0f5a1c9e-2f43-4c0a-9f3c-4c1a5d0e7b11";
  token.time_namespace = "time:[4026531834]";
  token.sent = Instant{seconds{1234} + std::chrono::nanoseconds{567'890'123}};
  return token;
}

inline bool same(const StoredToken& a, const StoredToken& b) {
  return a.access_token == b.access_token && a.token_type == b.token_type && a.issued == b.issued &&
         a.expires_in == b.expires_in && a.boot_id == b.boot_id &&
         a.time_namespace == b.time_namespace && a.sent == b.sent && a.api == b.api &&
         a.accepted == b.accepted && a.lag == b.lag && a.lead == b.lead;
}

using Loaded = Result<std::optional<StoredToken>>;

inline bool holds(const Loaded& loaded, const StoredToken& token) {
  return loaded.ok() && loaded->has_value() && same(**loaded, token);
}
inline bool holds_nothing(const Loaded& loaded) {
  return loaded.ok() && !loaded->has_value();
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
