#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret_text.hpp"
#include "skewguard/result.hpp"
#include "store/files.hpp"

namespace skewguard::store {

/// Owns a descriptor. `files` must outlive it.
class Handle {
 public:
  Handle(Files& files, int fd) noexcept : files_(&files), fd_(fd) {}
  ~Handle() {
    if (fd_ >= 0) files_->close(fd_);
  }
  Handle(Handle&& other) noexcept : files_(other.files_), fd_(other.fd_) { other.fd_ = -1; }
  Handle& operator=(Handle&&) = delete;

  [[nodiscard]] bool open() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int fd() const noexcept { return fd_; }

 private:
  Files* files_;
  int fd_;  ///< -errno or -1: there is none
};

/// An open folder that only this user can access. Files in it that another user owns or can access,
/// or that are not regular, are an error (`config`): not used, not deleted.
class Folder {
 public:
  enum class Missing { is_fine, is_made };

  /// Creates it with its parents if requested; otherwise a missing folder is not open.
  static Result<Folder> enter(Files& files, const std::string& path, Missing missing);
  /// Opens a folder in this one.
  [[nodiscard]] Result<Folder> enter(const std::string& name, Missing missing) const;

  [[nodiscard]] bool open() const noexcept { return handle_.open(); }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] std::string path_of(const std::string& name) const { return path_ + "/" + name; }

  /// Reads a file of ours; not set if there is none, empty if it has more than `max` bytes.
  [[nodiscard]] Result<std::optional<SecretText>> read(const std::string& name,
                                                       std::size_t max) const;
  /// Whether there is such a file. Error: something else has that name.
  [[nodiscard]] Result<bool> has(const std::string& name) const;
  /// The same for an open file.
  [[nodiscard]] Result<void> check(const Handle& file, const std::string& name,
                                   FileStatus& status) const;
  /// Makes changes to its names survive a power cut.
  [[nodiscard]] Result<void> sync() const;

  // As in Files, but retried after signals: 0 or more, otherwise -errno.
  [[nodiscard]] Handle open_file(const std::string& name, int flags) const;
  [[nodiscard]] int write(const Handle& file, std::string_view text) const;  ///< all of it
  [[nodiscard]] int sync(const Handle& file) const;
  [[nodiscard]] int rename(const std::string& from, const std::string& to) const;
  [[nodiscard]] int link(const std::string& from, const std::string& to) const;
  int remove(const std::string& name) const;         // NOLINT(modernize-use-nodiscard)
  int remove_folder(const std::string& name) const;  // NOLINT(modernize-use-nodiscard)
  [[nodiscard]] int list(std::size_t max, std::vector<std::string>& names) const;

 private:
  Folder(Files& files, std::string path, int fd);
  [[nodiscard]] Result<void> check_self() const;
  int read_all(const Handle& file, SecretText& text) const;

  Files* files_;
  std::string path_;
  Handle handle_;
};

/// "/a/b//" is "/a/b".
std::string without_end_slashes(std::string path);

}  // namespace skewguard::store
