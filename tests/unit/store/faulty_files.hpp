#pragma once

#include <cerrno>
#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include "store/files.hpp"

namespace skewguard::store {

/// The system calls, counted; a test chooses what happens at each.
class FaultyFiles : public Files {
 public:
  /// Which call: its number from 1, and its name.
  struct Call {
    int number;
    std::string name;
  };
  /// 0, or what the call returns instead of being made (-errno).
  std::function<int(const Call&)> before = [](const Call&) { return 0; };
  std::function<void(const Call&)> after = [](const Call&) {};
  /// How many bytes of a write are written.
  std::function<std::size_t(const Call&, std::size_t)> cut = [](const Call&, std::size_t n) {
    return n;
  };
  /// Before each open of a name in a folder, `flags` as of open(2).
  std::function<void(const std::string& name, int flags)> before_open = [](const auto&, int) {};
  std::uint32_t pretended_user = system_files().user();
  std::vector<std::string> calls;

  int make_folder(const std::string& path) override {
    return made("make_folder", [&] { return real_.make_folder(path); });
  }
  int open_folder(const std::string& path) override {
    return made("open_folder", [&] { return real_.open_folder(path); });
  }
  int open(int folder, const std::string& name, int flags) override {
    before_open(name, flags);
    return made("open", [&] { return real_.open(folder, name, flags); });
  }
  int status(int fd, const std::string& name, FileStatus& status) override {
    return made("status", [&] { return real_.status(fd, name, status); });
  }
  std::ptrdiff_t read(int fd, char* into, std::size_t most) override {
    return made("read", [&] { return real_.read(fd, into, most); });
  }
  std::ptrdiff_t write(int fd, const char* bytes, std::size_t count) override {
    return made("write", [&] {
      const std::size_t some = cut({static_cast<int>(calls.size()), "write"}, count);
      return some == 0 ? 0 : real_.write(fd, bytes, some);
    });
  }
  int sync(int fd) override {
    return made("sync", [&] { return real_.sync(fd); });
  }
  int rename(int folder, const std::string& from, const std::string& to) override {
    return made("rename", [&] { return real_.rename(folder, from, to); });
  }
  int link(int folder, const std::string& from, const std::string& to) override {
    return made("link", [&] { return real_.link(folder, from, to); });
  }
  int remove_folder(int folder, const std::string& name) override {
    return made("remove_folder", [&] { return real_.remove_folder(folder, name); });
  }
  int remove(int folder, const std::string& name) override {
    return made("remove", [&] { return real_.remove(folder, name); });
  }
  int list(int folder, std::size_t most, std::vector<std::string>& names) override {
    return made("list", [&] { return real_.list(folder, most, names); });
  }
  int lock(int fd) override {
    return made("lock", [&] { return real_.lock(fd); });
  }
  int unlock(int fd) override {
    return made("unlock", [&] { return real_.unlock(fd); });
  }
  int close(int fd) override {  // the descriptor is gone whatever it returns
    const int closed = real_.close(fd);
    return made("close", [&] { return closed; });
  }
  std::uint32_t user() override { return pretended_user; }

 private:
  template <typename Make>
  auto made(const char* name, const Make& make) -> decltype(make()) {
    calls.emplace_back(name);
    const Call call{static_cast<int>(calls.size()), name};
    if (const int instead = before(call); instead != 0) return instead;
    const auto result = make();
    after(call);
    return result;
  }
  Files& real_ = system_files();
};

}  // namespace skewguard::store
