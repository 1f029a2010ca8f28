#pragma once

#include <functional>
#include <memory>

namespace skewguard::runtime {

/// While one of these is there, fork() finds its loop's thread between two events: that thread
/// then holds no lock of OpenSSL, of the C library or of a static object under construction. In the
/// child nobody would ever give such a lock back.
class ForkPause {
 public:
  /// Runs a function as an event of the loop; false: the caller is that loop's thread.
  using Post = std::function<bool(std::function<void()>)>;

  /// From now on fork() waits for the loop, at most a second (a hook may hold it up).
  explicit ForkPause(Post post);
  /// Waits for a fork() under way.
  ~ForkPause();
  ForkPause(const ForkPause&) = delete;
  ForkPause& operator=(const ForkPause&) = delete;

 private:
  const Post post_;
};

}  // namespace skewguard::runtime
