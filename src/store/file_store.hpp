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
/// fails where that is there already. No locks, so whoever is frozen holds up nobody: whoever
/// removes a number has removed the drafts of all who may still want to link it
/// (docs/adr/0011-sharing.md). FOLDER/KEY.json, of earlier versions, is the value 0.
///
/// What another user owns or may look into is refused, never used, never deleted. Whoever writes a
/// new token takes away what is of no use to anyone any more. Thread-safe. Handlers are called from
/// within the call.
class FileStore final : public TokenStore {
 public:
  /// The folder is made at need, with its parents. `files` must outlive the register.
  explicit FileStore(std::string folder, Files& files = system_files());

  void read(const std::string& key, ReadHandler handler) override;
  void swap(const std::string& key, std::optional<std::string> expected, Secret text,
            SwapHandler handler) override;

  // The same, at once.
  [[nodiscard]] Result<std::optional<Value>> read(const std::string& key) const;
  [[nodiscard]] Result<Swapped> swap(const std::string& key,
                                     const std::optional<std::string>& expected,
                                     const Secret& text) const;

  [[nodiscard]] const std::string& folder() const noexcept { return folder_; }

 private:
  struct Swap;
  /// Written here, to be linked.
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
