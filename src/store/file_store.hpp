#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sharing/record.hpp"
#include "skewguard/token_store.hpp"
#include "store/files.hpp"
#include "store/folder.hpp"

namespace skewguard::store {

/// A register in a folder: the value of a key is the file with the highest number in FOLDER/KEY/,
/// "12.json". A swap writes a draft, ".13.0123456789abcdef.new", and links it to "13.json", which
/// fails if that exists already. There are no locks, so a frozen process blocks nobody: before a
/// process removes a number, it removes the drafts of all processes that may still want to link it
/// (docs/adr/0011-sharing.md). FOLDER/KEY.json, from earlier versions, is the value 0.
///
/// Files that another user owns or can access are an error: never used, never deleted. A process
/// that writes a new token removes files that are no longer useful. Thread-safe. Handlers are
/// called from within the call.
class FileStore final : public TokenStore {
 public:
  /// Creates the folder when needed, with its parents. `files` must outlive the store.
  explicit FileStore(std::string folder, Files& files = system_files());

  void read(const std::string& key, ReadHandler handler) override;
  void swap(const std::string& key, std::optional<std::string> expected, Secret text,
            SwapHandler handler) override;

  // The same, synchronously.
  [[nodiscard]] Result<std::optional<Value>> read(const std::string& key) const;
  [[nodiscard]] Result<Swapped> swap(const std::string& key,
                                     const std::optional<std::string>& expected,
                                     const Secret& text) const;

  [[nodiscard]] const std::string& folder() const noexcept { return folder_; }

 private:
  struct Swap;
  /// A written file that is to be linked.
  struct Draft {
    const std::string& name;
    const Handle& file;
  };
  [[nodiscard]] Result<std::optional<Value>> current(const Folder& folder,
                                                     const std::string& key) const;
  [[nodiscard]] Result<std::optional<Swapped>> attempt(const Swap& swap) const;
  [[nodiscard]] Result<std::optional<Swapped>> put(const Swap& swap, const Folder& folder,
                                                   const Folder& values,
                                                   const std::string& draft) const;
  [[nodiscard]] Result<std::optional<Swapped>> link(const Swap& swap, const Folder& folder,
                                                    const Folder& values, const Draft& draft) const;
  void sweep(const Folder& folder, const std::string& key, const sharing::SharedToken& fresh) const;
  void sweep_values(const Folder& folder, const std::string& key,
                    const sharing::SharedToken& fresh) const;
  static bool is_litter(const Folder& folder, const std::string& key, std::string_view end,
                        const sharing::SharedToken& fresh);

  std::string folder_;
  Files& files_;
};

}  // namespace skewguard::store
