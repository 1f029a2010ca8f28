#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/secret_text.hpp"
#include "skewguard/token_store.hpp"
#include "store/files.hpp"

namespace skewguard::store {

/// A descriptor that is closed when it goes. `files` must outlive it.
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

/// One file a key in one folder, `KEY.json`, beside it `KEY.lock`, which stays, and for moments
/// `KEY.new`, or `KEY.NUMBER.new` of one who saves without the claim. Many processes may share the
/// folder; each object belongs to one control loop. What another user owns or may look into is
/// refused, never used, never deleted (docs/adr/0007). Whoever saves takes away what is of no use
/// to anyone: tokens that have ended, drafts of killed writers.
class File final : public TokenStore {
 public:
  /// The folder is made at need, with its parents. `files` must outlive the store.
  explicit File(std::string folder, Files& files = system_files());
  ~File() override;  ///< Gives all claims back.
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  Result<std::optional<StoredToken>> load(const std::string& key) override;
  Result<void> save(const std::string& key, const StoredToken& token) override;
  Result<void> erase(const std::string& key) override;
  Result<bool> claim(const std::string& key) override;
  void release(const std::string& key) override;

  [[nodiscard]] const std::string& folder() const noexcept { return folder_; }

 private:
  enum class Missing { is_fine, is_made };
  [[nodiscard]] std::string path_of(const std::string& name) const { return folder_ + "/" + name; }
  Result<Handle> enter(Missing missing);
  int make_with_parents(const std::string& path);
  /// Whether it is a file of ours alone.
  Result<void> check_open(int fd, const std::string& name, FileStatus& status);
  /// The same of what stands under that name. False: nothing does.
  Result<bool> check_named(int folder, const std::string& name);
  Result<void> sync_folder(int fd);
  Result<Handle> open_new(int folder, const std::string& name);
  Result<void> replace(const std::string& key, const std::string& draft, std::string_view text);
  [[nodiscard]] bool is_litter(int folder, const std::string& name, const StoredToken& fresh);
  /// Litter of other keys; `fresh` was got a moment ago, and so says what time it is. Best effort.
  void sweep(const StoredToken& fresh);
  int write_all(int fd, std::string_view text);
  int read_all(int fd, SecretText& text);

  std::string folder_;
  Files& files_;
  std::map<std::string, Handle> claims_;  ///< the open and locked file of each
};

}  // namespace skewguard::store
