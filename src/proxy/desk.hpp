#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "relay/head_codec.hpp"
#include "relay/session_machine.hpp"
#include "skewguard/secret.hpp"

namespace skewguard::proxy {

/// The memory of a busy session; a session at rest has none. It lies in secret memory: the token
/// passes through it, and what clients show.
class Desk {
 public:
  static constexpr std::size_t kBuffer = relay::kMaxHead + std::size_t{16} * 1024;  // bytes

  Desk() {
    work.client_in = relay::Buffer(client_in_);
    work.client_out = relay::Buffer(client_out_);
    work.upstream_in = relay::Buffer(upstream_in_);
    work.upstream_out = relay::Buffer(upstream_out_);
  }
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;
  ~Desk() = default;

  static void* operator new(std::size_t size) { return SecretMemory::take(size); }
  static void operator delete(void* block, std::size_t size) noexcept {
    SecretMemory::give_back(block, size);
  }

  /// In the middle of a request; a session at rest has left nothing but the answer's head.
  void reset() { work.request.restart(); }
  void clear() {
    for (auto* buffer : {&work.client_in, &work.client_out, &work.upstream_in, &work.upstream_out})
      buffer->clear();
  }

  relay::Workspace work;

 private:
  using Memory = std::array<char, kBuffer>;
  Memory client_in_;  // not set: pages that nobody writes take no memory
  Memory client_out_;
  Memory upstream_in_;
  Memory upstream_out_;
};

/// A worker's desks, which are used again. For its thread.
class Desks {
 public:
  std::unique_ptr<Desk> lend() {
    if (spare_.empty()) return std::make_unique<Desk>();
    auto desk = std::move(spare_.back());
    spare_.pop_back();
    least_ = std::min(least_, spare_.size());
    return desk;
  }
  void give_back(std::unique_ptr<Desk> desk) {
    if (spare_.size() == kMaxSpare) return;
    desk->clear();
    spare_.push_back(std::move(desk));
  }
  /// Frees one that has not been used since the last time, if there are others. To be called a few
  /// times a second: freeing one costs as much as some requests.
  void trim() {
    if (least_ > kKept) spare_.pop_back();
    least_ = spare_.size();
  }
  [[nodiscard]] std::size_t spare() const noexcept { return spare_.size(); }

 private:
  static constexpr std::size_t kKept = 4;
  static constexpr std::size_t kMaxSpare = 256;
  std::vector<std::unique_ptr<Desk>> spare_;
  std::size_t least_ = 0;  // how many were spare at the same time since trim()
};

}  // namespace skewguard::proxy
