#include "store/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "host/seed.hpp"
#include "store/ended.hpp"
#include "store/file_errors.hpp"
#include "store/token_text.hpp"

namespace skewguard::store {
namespace {

constexpr std::size_t kMostKeyChars = 128;
constexpr int kMostInterrupts = 100;  // then something is wrong, and nothing may hang
// Of one sweep, which runs on the control loop.
constexpr std::size_t kMostNames = 1000;
constexpr int kMostLooks = 100;

/// Once more where a signal came between.
template <typename Call>
auto again(const Call& call) {
  auto result = call();
  for (int i = 0; i < kMostInterrupts && result == -EINTR; ++i) result = call();
  return result;
}

/// A key becomes a file's name.
Result<void> check_key(const std::string& key) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  if (!key.empty() && key.size() <= kMostKeyChars && std::all_of(key.begin(), key.end(), fits))
    return {};
  return Error{.kind = ErrorKind::config,
               .message = "a token's key cannot be a file's name",
               .remedy = "use letters, digits, - and _, at most 128 of them"};
}

constexpr std::size_t kKeyDigits = 64;
constexpr std::string_view kDraft = ".new";

bool hex_digits(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// The draft of one who writes without the claim: its name is nobody else's, since the holder may
/// be at work on his.
std::string own_draft(const std::string& key) {
  std::array<char, 16> digits{};
  digits.fill('0');
  std::array<char, 17> number{};
  const auto end = std::to_chars(number.begin(), number.end(), host::hardware_seed(), 16).ptr;
  std::copy_backward(number.begin(), end, digits.end());
  return key + "." + std::string(digits.begin(), digits.end()) + std::string(kDraft);
}
bool is_own_draft(std::string_view name) {
  constexpr std::size_t kDigits = 16;
  const std::string_view end = name.substr(std::min(kKeyDigits, name.size()));
  return end.size() == 1 + kDigits + kDraft.size() && end.starts_with('.') &&
         hex_digits(end.substr(1, kDigits)) && end.ends_with(kDraft);
}

/// "KEY.json" and drafts of keys that key_of() makes; empty for all other names.
std::string key_in(const std::string& name) {
  const std::string key = name.substr(0, kKeyDigits);
  const std::string end = name.substr(key.size());
  if (!hex_digits(key)) return "";
  return end == ".json" || end == kDraft || is_own_draft(name) ? key : "";
}

std::string without_end_slashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

Error not_believed(const std::string& path) {
  return {.kind = ErrorKind::unavailable,
          .message = path + " is not used: it is cut off, altered or of another program",
          .remedy = "the next token takes its place; nothing need be done"};
}

}  // namespace

File::File(std::string folder, Files& files)
    : folder_(without_end_slashes(std::move(folder))), files_(files) {}

File::~File() {
  while (!claims_.empty()) release(std::string(claims_.begin()->first));
}

Result<std::optional<StoredToken>> File::load(const std::string& key) {
  if (auto good = check_key(key); !good) return good.error();
  const auto folder = enter(Missing::is_fine);
  if (!folder) return folder.error();
  if (!folder->open()) return std::optional<StoredToken>{};

  const std::string name = key + ".json";
  const Handle file(files_, again([&] { return files_.open(folder->fd(), name, O_RDONLY); }));
  if (file.fd() == -ENOENT) return std::optional<StoredToken>{};
  if (!file.open()) return cannot("open", path_of(name), -file.fd());
  FileStatus status;
  if (auto good = check_open(file.fd(), name, status); !good) return good.error();
  if (status.size > static_cast<std::int64_t>(kMostTextBytes)) return not_believed(path_of(name));

  SecretText content;
  content.resize(static_cast<std::size_t>(status.size) + 1);  // one more shows that it grew
  if (const int error = read_all(file.fd(), content); error < 0)
    return cannot("read", path_of(name), -error);
  auto token = from_text(key, content.view());
  if (!token) return not_believed(path_of(name));
  return token;
}

Result<void> File::save(const std::string& key, const StoredToken& token) {
  if (auto good = check_key(key); !good) return good;
  const auto text = to_text(key, token);
  if (!text) {
    return Error{.kind = ErrorKind::unavailable,
                 .message =
                     "this token cannot be kept: it is too long, or its life, its moment "
                     "or a name in it is out of range",
                 .remedy = ""};
  }
  const bool mine = claims_.contains(key);
  if (!mine) {
    const auto claimed = claim(key);
    if (!claimed) return claimed.error();
    if (!*claimed) return replace(key, own_draft(key), text->reveal());
  }
  auto saved = replace(key, key + std::string(kDraft), text->reveal());
  if (saved) sweep(token);
  if (!mine) release(key);
  return saved;
}

Result<void> File::erase(const std::string& key) {
  if (auto good = check_key(key); !good) return good;
  const auto folder = enter(Missing::is_fine);
  if (!folder) return folder.error();
  if (!folder->open()) return {};
  const std::string name = key + ".json";
  const auto there = check_named(folder->fd(), name);
  if (!there) return there.error();
  if (!*there) return {};
  const int removed = again([&] { return files_.remove(folder->fd(), name); });
  if (removed < 0 && removed != -ENOENT) return cannot("remove", path_of(name), -removed);
  return sync_folder(folder->fd());
}

Result<bool> File::claim(const std::string& key) {
  if (auto good = check_key(key); !good) return good.error();
  if (claims_.contains(key)) return false;
  const auto folder = enter(Missing::is_made);
  if (!folder) return folder.error();
  const std::string name = key + ".lock";
  Handle file(files_, again([&] { return files_.open(folder->fd(), name, O_RDWR | O_CREAT); }));
  if (!file.open()) return cannot("open", path_of(name), -file.fd());
  FileStatus status;
  if (auto good = check_open(file.fd(), name, status); !good) return good.error();
  const int locked = again([&] { return files_.lock(file.fd()); });
  if (locked == -EWOULDBLOCK) return false;
  if (locked < 0) return cannot("lock", path_of(name), -locked);
  claims_.emplace(key, std::move(file));
  return true;
}

void File::release(const std::string& key) {
  const auto claim = claims_.find(key);
  if (claim == claims_.end()) return;
  // Closing does it too, but not where a forked child has the descriptor as well.
  (void)again([&] { return files_.unlock(claim->second.fd()); });
  claims_.erase(claim);
}

/// The folder, open and ours. Where it is missing and that is fine, a handle that is not open.
Result<Handle> File::enter(Missing missing) {
  const auto open = [this] { return again([this] { return files_.open_folder(folder_); }); };
  int fd = open();
  if (fd == -ENOENT && missing == Missing::is_fine) return Handle(files_, fd);
  if (fd == -ENOENT) {
    if (const int made = make_with_parents(folder_); made < 0)
      return cannot("make the folder", folder_, -made);
    fd = open();
  }
  if (fd < 0) return cannot("open the folder", folder_, -fd);
  Handle folder(files_, fd);
  FileStatus status;
  const int seen = again([&] { return files_.status(fd, "", status); });
  if (seen < 0) return cannot("look at the folder", folder_, -seen);
  if (auto error = unfit(folder_, status, S_IFDIR, files_.user())) return *std::move(error);
  return folder;
}

/// From the end, so that no parent that is there is touched.
int File::make_with_parents(const std::string& path) {
  const auto make = [&] {
    const int made = again([&] { return files_.make_folder(path); });
    return made == -EEXIST ? 0 : made;
  };
  const int made = make();
  const auto slash = path.find_last_of('/');
  if (made != -ENOENT || slash == std::string::npos || slash == 0) return made;
  const int parent = make_with_parents(without_end_slashes(path.substr(0, slash)));
  return parent < 0 ? parent : make();
}

Result<void> File::sync_folder(int fd) {
  const int synced = again([&] { return files_.sync(fd); });
  if (synced < 0 && synced != -EINVAL) return cannot("write", folder_, -synced);
  return {};  // EINVAL: this file system does not do that for folders
}

Result<void> File::check_open(int fd, const std::string& name, FileStatus& status) {
  const int seen = again([&] { return files_.status(fd, "", status); });
  if (seen < 0) return cannot("look at", path_of(name), -seen);
  if (auto error = unfit(path_of(name), status, S_IFREG, files_.user())) return *std::move(error);
  return {};
}

Result<bool> File::check_named(int folder, const std::string& name) {
  FileStatus status;
  const int seen = again([&] { return files_.status(folder, name, status); });
  if (seen == -ENOENT) return false;
  if (seen < 0) return cannot("look at", path_of(name), -seen);
  if (auto error = unfit(path_of(name), status, S_IFREG, files_.user())) return *std::move(error);
  return true;
}

Result<Handle> File::open_new(int folder, const std::string& name) {
  const auto make = [&] {
    return again([&] { return files_.open(folder, name, O_WRONLY | O_CREAT | O_EXCL); });
  };
  int fd = make();
  if (fd == -EEXIST) {  // a writer was killed
    if (const auto there = check_named(folder, name); !there) return there.error();
    const int removed = again([&] { return files_.remove(folder, name); });
    if (removed < 0 && removed != -ENOENT) return cannot("remove", path_of(name), -removed);
    fd = make();
  }
  if (fd < 0) return cannot("make", path_of(name), -fd);
  return Handle(files_, fd);
}

/// A rename is all or nothing, so the last one counts, whoever else writes.
Result<void> File::replace(const std::string& key, const std::string& draft,
                           std::string_view text) {
  const auto folder = enter(Missing::is_made);
  if (!folder) return folder.error();
  const std::string name = key + ".json";
  if (const auto there = check_named(folder->fd(), name); !there) return there.error();

  int error = 0;
  {
    const auto file = open_new(folder->fd(), draft);
    if (!file) return file.error();
    error = write_all(file->fd(), text);
    if (error == 0) error = again([&] { return files_.sync(file->fd()); });
  }
  if (error == 0) error = again([&] { return files_.rename(folder->fd(), draft, name); });
  if (error < 0) {
    (void)again([&] { return files_.remove(folder->fd(), draft); });
    return cannot("write", path_of(draft), -error);
  }
  // The new token is there; without this a power cut may bring the old one back.
  return sync_folder(folder->fd());
}

void File::sweep(const StoredToken& fresh) {
  const auto folder = enter(Missing::is_fine);
  if (!folder || !folder->open()) return;
  std::vector<std::string> names;
  if (again([&] { return files_.list(folder->fd(), kMostNames, names); }) < 0) return;
  int looks = 0;
  for (const std::string& name : names) {
    const std::string key = key_in(name);
    if (key.empty()) continue;
    const bool mine = claims_.contains(key);
    if (mine && !is_own_draft(name)) continue;
    if (++looks > kMostLooks) return;
    if (mine) {  // who still writes it has been overtaken
      if (is_litter(folder->fd(), name, fresh))
        (void)again([&] { return files_.remove(folder->fd(), name); });
      continue;
    }
    if (!is_litter(folder->fd(), name, fresh)) continue;
    const auto claimed = claim(key);
    if (!claimed || !*claimed) continue;
    // Once more: now nobody can put a new one in its place.
    if (is_litter(folder->fd(), name, fresh))
      (void)again([&] { return files_.remove(folder->fd(), name); });
    release(key);
  }
}

bool File::is_litter(int folder, const std::string& name, const StoredToken& fresh) {
  if (name.ends_with(kDraft)) {
    const auto there = check_named(folder, name);
    return there && *there;
  }
  const auto old = load(key_in(name));
  return old && *old && has_ended(**old, fresh);
}

/// 0, or -errno.
int File::write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto wrote = again([&] { return files_.write(fd, text.data(), text.size()); });
    if (wrote < 0) return static_cast<int>(wrote);
    if (wrote == 0) return -ENOSPC;
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return 0;
}

/// At most as much as `text` has room for, and cuts it to what came. 0, or -errno.
int File::read_all(int fd, SecretText& text) {
  std::size_t filled = 0;
  while (filled < text.size()) {
    const auto got =
        again([&] { return files_.read(fd, text.data() + filled, text.size() - filled); });
    if (got < 0) return static_cast<int>(got);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  text.resize(filled);
  return 0;
}

}  // namespace skewguard::store
