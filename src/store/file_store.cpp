#include "store/file_store.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <utility>
#include <vector>

#include "store/digest.hpp"
#include "store/ended.hpp"
#include "store/file_errors.hpp"
#include "store/record_text.hpp"
#include "store/sealed_text.hpp"
#include "system/seed.hpp"

namespace skewguard::store {
namespace {

using Value = TokenStore::Value;
using Swapped = TokenStore::Swapped;

constexpr std::size_t kKeyChars = 64;
constexpr std::size_t kSeedChars = 16;
constexpr std::string_view kValueEnd = ".json";
constexpr std::string_view kDraftEnd = ".new";
// A folder with this many files contains more than ours.
constexpr std::size_t kMaxEntries = 10'000;
constexpr std::uint64_t kMaxNumber = 999'999'999'999'999'999;
// How often other processes may interfere before that is an error.
constexpr int kMaxTries = 10;
// The limit of one sweep, which runs on the control loop.
constexpr std::size_t kMaxSwept = 1000;
constexpr int kMaxKeysSwept = 100;

Result<void> check_digest(const std::string& key) {
  if (key.size() == kKeyChars && only_hex_digits(key)) return {};
  return Error{.kind = ErrorKind::config,
               .message = "this is not the key of a shared token",
               .remedy = "use 64 hex digits, lower case"};
}

Error busy(const std::string& path) {
  return {.kind = ErrorKind::unavailable,
          .message = path + " changes faster than it can be read",
          .remedy = "find out which processes write there"};
}

// Names -------------------------------------------------------------------------------------------

/// 1, 2 ... in our format; 0 = not such a number.
std::uint64_t number_in(std::string_view digits) {
  std::uint64_t number = 0;
  if (digits.starts_with('0')) return 0;
  const char* const last = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), last, number);
  return error == std::errc{} && end == last && number <= kMaxNumber ? number : 0;
}

std::string value_name(std::uint64_t number) {
  return std::to_string(number) + std::string(kValueEnd);
}

std::uint64_t number_of_value(std::string_view name) {
  if (!name.ends_with(kValueEnd)) return 0;
  name.remove_suffix(kValueEnd.size());
  return number_in(name);
}

/// A unique name: several processes may write the same number.
std::string draft_name(std::uint64_t number) {
  return "." + std::to_string(number) + "." + hex_digits(system::hardware_seed()) +
         std::string(kDraftEnd);
}

/// Whether it is "." SEED ".new".
bool is_draft_end(std::string_view end) {
  return end.size() == 1 + kSeedChars + kDraftEnd.size() && end.starts_with('.') &&
         only_hex_digits(end.substr(1, kSeedChars)) && end.ends_with(kDraftEnd);
}

std::uint64_t number_of_draft(std::string_view name) {
  const auto end = name.rfind('.', name.size() - std::min(name.size(), kDraftEnd.size() + 1));
  if (end == std::string_view::npos || !name.starts_with('.') || !is_draft_end(name.substr(end)))
    return 0;
  return number_in(name.substr(1, end - 1));
}

/// Files that earlier versions left for a key: the file, its lock, drafts.
bool is_earlier(std::string_view end) {
  return end == kValueEnd || end == ".lock" || end == kDraftEnd || is_draft_end(end);
}

// Versions ----------------------------------------------------------------------------------------

/// A number alone would be reused in a folder that was emptied.
std::string version_of(std::uint64_t number, std::string_view text) {
  return std::to_string(number) + "-" + sha256_hex(text).substr(0, kSeedChars);
}

std::optional<std::uint64_t> number_of_version(std::string_view version) {
  const std::string_view digits = version.substr(0, version.find('-'));
  const std::uint64_t number = number_in(digits);
  if (number == 0 && digits != "0") return std::nullopt;
  return number;
}

Value value_of(std::uint64_t number, SecretText text) {
  std::string version = version_of(number, text.view());
  return {.text = std::move(text).secret(), .version = std::move(version)};
}

// Cleaning up -------------------------------------------------------------------------------------

/// Removes a file of ours. False if it still exists, or may.
bool removed(const Folder& folder, const std::string& name) {
  const auto there = folder.has(name);
  if (!there) return false;
  const int error = *there ? folder.remove(name) : 0;
  return error == 0 || error == -ENOENT;
}

std::vector<std::string> names_in(const Folder& folder) {
  std::vector<std::string> names;
  if (folder.list(kMaxEntries, names) < 0 || names.size() == kMaxEntries) names.clear();
  return names;
}

/// Removes drafts up to that number. False if one still exists, or may.
bool remove_drafts(const Folder& values, const std::vector<std::string>& names,
                   std::uint64_t number) {
  bool all = true;
  for (const std::string& name : names) {
    const std::uint64_t draft = number_of_draft(name);
    if (draft > 0 && draft <= number) all = removed(values, name) && all;
  }
  return all;
}

/// Removes values below `number`, but none while a draft exists that may be linked to the same
/// name: that process must find that it has lost.
void remove_overtaken(const Folder& values, std::uint64_t number) {
  const auto names = names_in(values);
  if (!remove_drafts(values, names, number)) return;
  for (const std::string& name : names) {
    const std::uint64_t value = number_of_value(name);
    if (value > 0 && value < number) (void)removed(values, name);
  }
}

void remove_earlier(const Folder& folder, const std::string& key) {
  for (const char* end : {".json", ".lock", ".new"}) (void)removed(folder, key + end);
}

/// Whether a token request has ended since then, or something was learned about its token.
std::optional<sharing::SharedToken> fresh_token(std::string_view key, std::string_view text) {
  auto record = record_of(key, text);
  if (!record || record->claim) return std::nullopt;
  return std::move(record->token);
}

bool is_dead(const std::string& key, const Value& value, const sharing::SharedToken& fresh) {
  const auto record = record_of(key, value.text.reveal());
  return record && has_ended(*record, fresh);  // what we cannot read may be a later version's
}

Error cannot_link(const std::string& path, int error) {
  if (error != EPERM && error != EOPNOTSUPP && error != ENOSYS && error != EMLINK)
    return cannot("link", path, error);
  return {.kind = ErrorKind::config,
          .message = "cannot link " + path + " (this file system has no hard links)",
          .remedy = "name a folder on another file system, or keep no tokens"};
}

}  // namespace

/// The operands of a swap.
struct FileStore::Swap {
  const std::string& key;
  const std::optional<std::string>& expected;
  std::string_view text;
  std::uint64_t number;  ///< that the text will have
};

FileStore::FileStore(std::string folder, Files& files)
    : folder_(without_end_slashes(std::move(folder))), files_(files) {}

void FileStore::read(const std::string& key, ReadHandler handler) {
  handler(read(key));
}

void FileStore::swap(const std::string& key, std::optional<std::string> expected, Secret text,
                     SwapHandler handler) {
  handler(swap(key, expected, text));
}

Result<std::optional<Value>> FileStore::read(const std::string& key) const {
  if (auto good = check_digest(key); !good) return good.error();
  const auto folder = Folder::enter(files_, folder_, Folder::Missing::is_fine);
  if (!folder) return folder.error();
  if (!folder->open()) return std::optional<Value>{};
  return current(*folder, key);
}

Result<Swapped> FileStore::swap(const std::string& key, const std::optional<std::string>& expected,
                                const Secret& text) const {
  if (auto good = check_digest(key); !good) return good.error();
  if (text.size() > kMaxTextBytes) {
    return Error{.kind = ErrorKind::unavailable,
                 .message = "this token cannot be stored: it is too long",
                 .remedy = ""};
  }
  const auto before = expected ? number_of_version(*expected) : 0;
  if (!before || *before == kMaxNumber) {  // a version that this register does not give
    auto value = read(key);
    if (!value) return value.error();
    return Swapped{.value = *std::move(value)};
  }
  for (int i = 0; i < kMaxTries; ++i) {
    auto done = attempt({key, expected, text.reveal(), *before + 1});
    if (!done) return done.error();
    if (*done) return **std::move(done);
  }
  return busy(folder_ + "/" + key);
}

/// The value with the highest number. Its file may disappear before it is opened; then there is a
/// higher one.
Result<std::optional<Value>> FileStore::current(const Folder& folder,
                                                const std::string& key) const {
  bool seen_nothing = false;
  for (int i = 0; i < kMaxTries; ++i) {
    const auto values = folder.enter(key, Folder::Missing::is_fine);
    if (!values) return values.error();
    std::vector<std::string> names;
    const int error = values->open() ? values->list(kMaxEntries, names) : 0;
    if (error < 0 && error != -ENOENT) return cannot("list the folder", values->path(), -error);
    if (names.size() == kMaxEntries)
      return not_used(values->path(), "there are too many files in it", "remove it");
    std::uint64_t number = 0;
    for (const std::string& name : names) number = std::max(number, number_of_value(name));
    const std::string name = number > 0 ? value_name(number) : key + std::string(kValueEnd);
    auto text = (number > 0 ? *values : folder).read(name, kMaxTextBytes);
    if (!text) return text.error();
    if (*text) return std::optional(value_of(number, **std::move(text)));
    // In between, the first number may have replaced an earlier version's file.
    if (number == 0 && std::exchange(seen_nothing, true)) return std::optional<Value>{};
  }
  return busy(folder.path_of(key));
}

/// Empty if other processes interfered without deciding the swap; try again.
Result<std::optional<Swapped>> FileStore::attempt(const Swap& swap) const {
  const auto folder = Folder::enter(files_, folder_, Folder::Missing::is_made);
  if (!folder) return folder.error();
  const auto values = folder->enter(swap.key, Folder::Missing::is_made);
  if (!values) return values.error();
  if (!values->open()) return std::optional<Swapped>{};
  const std::string draft = draft_name(swap.number);
  auto done = put(swap, *folder, *values, draft);
  if (!done || !*done || !(*done)->swapped) return done;

  // The new value exists; without this sync, a power cut may bring back the old one.
  if (auto synced = values->sync(); !synced) return synced.error();
  remove_overtaken(*values, swap.number);
  if (swap.number == 1) remove_earlier(*folder, swap.key);
  if (const auto fresh = fresh_token(swap.key, swap.text)) sweep(*folder, swap.key, *fresh);
  return done;
}

Result<std::optional<Swapped>> FileStore::put(const Swap& swap, const Folder& folder,
                                              const Folder& values,
                                              const std::string& draft) const {
  const Handle file = values.open_file(draft, O_WRONLY | O_CREAT | O_EXCL);
  if (file.fd() == -ENOENT) return std::optional<Swapped>{};  // a sweep took the folder away
  if (!file.open()) return cannot("make", values.path_of(draft), -file.fd());
  auto done = link(swap, folder, values, {draft, file});
  values.remove(draft);
  return done;
}

/// The draft was created before the folder was read. So a process that has since removed the
/// current value, or a later one, has removed the draft first.
Result<std::optional<Swapped>> FileStore::link(const Swap& swap, const Folder& folder,
                                               const Folder& values, const Draft& draft) const {
  if (const int error = values.write(draft.file, swap.text); error < 0)
    return cannot("write", values.path_of(draft.name), -error);

  auto there = current(folder, swap.key);
  if (!there) return there.error();
  const bool expected =
      there->has_value() ? swap.expected == (*there)->version : !swap.expected.has_value();
  if (!expected) return std::optional(Swapped{.value = *std::move(there)});

  if (const int error = values.sync(draft.file); error < 0)
    return cannot("write", values.path_of(draft.name), -error);
  const int error = values.link(draft.name, value_name(swap.number));
  if (error == -EEXIST || error == -ENOENT) return std::optional<Swapped>{};
  if (error < 0) return cannot_link(values.path_of(draft.name), -error);
  auto value = value_of(swap.number, SecretText(swap.text));
  return std::optional(Swapped{.swapped = true, .value = std::move(value)});
}

// The sweep ---------------------------------------------------------------------------------------

/// Removes what is no longer useful: expired values of other keys, and files of earlier versions.
/// Best effort.
void FileStore::sweep(const Folder& folder, const std::string& key,
                      const sharing::SharedToken& fresh) const {
  std::vector<std::string> names;
  if (folder.list(kMaxSwept, names) < 0) return;
  int looks = 0;
  for (const std::string& name : names) {
    const std::string other = name.substr(0, kKeyChars);
    const std::string end = name.substr(other.size());
    if (!check_digest(other) || (end.empty() ? other == key : !is_earlier(end))) continue;
    if (++looks > kMaxKeysSwept) return;
    if (end.empty()) {
      sweep_values(folder, other, fresh);
    } else if (other == key || is_litter(folder, other, end, fresh)) {
      (void)removed(folder, name);
    }
  }
}

/// Removes the expired values of one key. A process that writes a new one meanwhile finds or
/// creates the folder.
void FileStore::sweep_values(const Folder& folder, const std::string& key,
                             const sharing::SharedToken& fresh) const {
  const auto values = folder.enter(key, Folder::Missing::is_fine);
  if (!values || !values->open()) return;
  const auto value = current(folder, key);
  if (!value) return;
  const std::uint64_t number =
      value->has_value() ? number_of_version((*value)->version).value_or(0) : 0;
  if (number == 0) {
    (void)remove_drafts(*values, names_in(*values), kMaxNumber);
  } else {
    if (!is_dead(key, **value, fresh)) return;
    remove_overtaken(*values, number + 1);
  }
  folder.remove_folder(key);  // fails if it is not empty
}

/// Whether an earlier version's file can go: an expired token, a draft, a lock without a token.
bool FileStore::is_litter(const Folder& folder, const std::string& key, std::string_view end,
                          const sharing::SharedToken& fresh) {
  if (is_draft_end(end) || end == kDraftEnd) return true;
  const std::string name = key + std::string(kValueEnd);
  auto text = folder.read(name, kMaxTextBytes);
  if (!text) return false;
  if (!*text) return true;
  return is_dead(key, value_of(0, **std::move(text)), fresh);
}

}  // namespace skewguard::store
