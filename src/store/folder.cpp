#include "store/folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdint>
#include <utility>

#include "store/file_errors.hpp"

namespace skewguard::store {
namespace {

int make(Files& files, const std::string& path) {
  const int made = again([&] { return files.make_folder(path); });
  return made == -EEXIST ? 0 : made;
}

/// From the end, so that existing parents are not touched.
int make_with_parents(Files& files, const std::string& path) {
  const int made = make(files, path);
  const auto slash = path.find_last_of('/');
  if (made != -ENOENT || slash == std::string::npos || slash == 0) return made;
  const int parent = make_with_parents(files, without_end_slashes(path.substr(0, slash)));
  return parent < 0 ? parent : make(files, path);
}

}  // namespace

std::string without_end_slashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

Folder::Folder(Files& files, std::string path, int fd)
    : files_(&files), path_(std::move(path)), handle_(files, fd) {}

Result<Folder> Folder::enter(Files& files, const std::string& path, Missing missing) {
  const auto open = [&] { return again([&] { return files.open_folder(path); }); };
  int fd = open();
  if (fd == -ENOENT && missing == Missing::is_made) {
    if (const int made = make_with_parents(files, path); made < 0)
      return cannot("make the folder", path, -made);
    fd = open();
  } else if (fd == -ENOENT) {
    return Folder(files, path, fd);
  }
  if (fd < 0) return cannot("open the folder", path, -fd);
  Folder folder(files, path, fd);
  if (auto good = folder.check_self(); !good) return good.error();
  return folder;
}

Result<Folder> Folder::enter(const std::string& name, Missing missing) const {
  const std::string path = path_of(name);
  const auto open = [&] {
    return again([&] { return files_->open(handle_.fd(), name, O_RDONLY | O_DIRECTORY); });
  };
  int fd = open();
  if (fd == -ENOENT && missing == Missing::is_made) {
    // -ENOENT again: this folder has been removed. The next attempt finds it missing.
    if (const int made = make(*files_, path); made < 0 && made != -ENOENT)
      return cannot("make the folder", path, -made);
    fd = open();
  }
  if (fd == -ENOENT) return Folder(*files_, path, fd);
  if (fd < 0) return cannot("open the folder", path, -fd);
  Folder folder(*files_, path, fd);
  if (auto good = folder.check_self(); !good) return good.error();
  return folder;
}

Result<void> Folder::check_self() const {
  FileStatus status;
  const int seen = again([&] { return files_->status(handle_.fd(), "", status); });
  if (seen < 0) return cannot("look at the folder", path_, -seen);
  if (auto error = unfit(path_, status, S_IFDIR, files_->user())) return *std::move(error);
  return {};
}

Result<std::optional<SecretText>> Folder::read(const std::string& name, std::size_t max) const {
  const Handle file = open_file(name, O_RDONLY);
  if (file.fd() == -ENOENT) return std::optional<SecretText>{};
  if (!file.open()) return cannot("open", path_of(name), -file.fd());
  FileStatus status;
  if (auto good = check(file, name, status); !good) return good.error();
  SecretText content;
  if (status.size > static_cast<std::int64_t>(max)) return std::optional(std::move(content));
  content.resize(static_cast<std::size_t>(status.size) + 1);  // one more shows that it grew
  if (const int error = read_all(file, content); error < 0)
    return cannot("read", path_of(name), -error);
  return std::optional(std::move(content));
}

Result<bool> Folder::has(const std::string& name) const {
  FileStatus status;
  const int seen = again([&] { return files_->status(handle_.fd(), name, status); });
  if (seen == -ENOENT) return false;
  if (seen < 0) return cannot("look at", path_of(name), -seen);
  if (auto error = unfit(path_of(name), status, S_IFREG, files_->user())) return *std::move(error);
  return true;
}

Result<void> Folder::check(const Handle& file, const std::string& name, FileStatus& status) const {
  const int seen = again([&] { return files_->status(file.fd(), "", status); });
  if (seen < 0) return cannot("look at", path_of(name), -seen);
  if (auto error = unfit(path_of(name), status, S_IFREG, files_->user())) return *std::move(error);
  return {};
}

Result<void> Folder::sync() const {
  const int synced = sync(handle_);
  if (synced < 0 && synced != -EINVAL) return cannot("write", path_, -synced);
  return {};  // EINVAL: this file system does not do that for folders
}

Handle Folder::open_file(const std::string& name, int flags) const {
  return {*files_, again([&] { return files_->open(handle_.fd(), name, flags); })};
}

int Folder::write(const Handle& file, std::string_view text) const {
  while (!text.empty()) {
    const auto wrote = again([&] { return files_->write(file.fd(), text.data(), text.size()); });
    if (wrote < 0) return static_cast<int>(wrote);
    if (wrote == 0) return -ENOSPC;
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return 0;
}

int Folder::sync(const Handle& file) const {
  return again([&] { return files_->sync(file.fd()); });
}

int Folder::rename(const std::string& from, const std::string& to) const {
  return again([&] { return files_->rename(handle_.fd(), from, to); });
}

int Folder::link(const std::string& from, const std::string& to) const {
  return again([&] { return files_->link(handle_.fd(), from, to); });
}

int Folder::remove(const std::string& name) const {
  return again([&] { return files_->remove(handle_.fd(), name); });
}

int Folder::remove_folder(const std::string& name) const {
  return again([&] { return files_->remove_folder(handle_.fd(), name); });
}

int Folder::list(std::size_t max, std::vector<std::string>& names) const {
  return again([&] {
    names.clear();
    return files_->list(handle_.fd(), max, names);
  });
}

/// Reads at most as much as `text` has room for, and shrinks it to what was read.
int Folder::read_all(const Handle& file, SecretText& text) const {
  std::size_t filled = 0;
  while (filled < text.size()) {
    const auto got =
        again([&] { return files_->read(file.fd(), text.data() + filled, text.size() - filled); });
    if (got < 0) return static_cast<int>(got);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  text.resize(filled);
  return 0;
}

}  // namespace skewguard::store
