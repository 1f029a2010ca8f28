#pragma once

#include <functional>
#include <memory>

namespace skewguard::runtime {

/// While one of these exists, fork() happens only when its loop's thread is between two events and
/// holds no lock of OpenSSL, of the C library or of a static object under construction. In the
/// child nobody would ever release such a lock.
class ForkPause {
 public:
  /// Runs a function as an event of the loop; false: the caller is that loop's thread.
  using Post = std::function<bool(std::function<void()>)>;

  /// From now on fork() waits for the loop, at most a second (a hook may block it).
  explicit ForkPause(Post post);
  /// Waits for a fork() in progress.
  ~ForkPause();
  ForkPause(const ForkPause&) = delete;
  ForkPause& operator=(const ForkPause&) = delete;

 private:
  const Post post_;
};

}  // namespace skewguard::runtime
