#pragma once

#include <optional>
#include <string>

#include "runtime/core.hpp"
#include "skewguard/token_store.hpp"

namespace skewguard::runtime {

/// The token store as an engine uses it: a store that fails costs a token request, never a call,
/// and is told of once. Part of an engine: on the control loop alone.
class Shelf {
 public:
  explicit Shelf(const Core& core);
  ~Shelf() { release(); }
  Shelf(const Shelf&) = delete;
  Shelf& operator=(const Shelf&) = delete;

  struct Loaded {
    StoredToken token;  ///< what it tells of another API host than this client's is left out
    /// What other processes have learned, or unlearned (0), since this one last read or wrote it.
    std::optional<Duration> lag;
    std::optional<Duration> lead;
  };
  std::optional<Loaded> load();
  /// What other processes have learned stays, except where this one has learned otherwise since it
  /// last read or wrote. learn() does the same.
  void save(StoredToken token);
  /// What has become known of the token that is stored, or of the clocks: kept beside it. False:
  /// another process asks for its successor, so nothing was written.
  [[nodiscard]] bool learn(const StoredToken& known);
  /// Takes `refused` out of the store, and no other token: another process may have saved a newer
  /// one. Not while another process asks for its successor, which will replace it.
  /// `instead` takes its place.
  void forget(const Secret& refused, const std::optional<StoredToken>& instead);
  /// False: another process asks for a token just now. True also where the store does not work.
  bool claim();
  void release();

 private:
  template <typename What>
  auto attempt(const What& what) -> decltype(what());
  void tell(const Error& error);
  std::optional<StoredToken> read();
  void note(const char* what) const;
  bool put(StoredToken token, const char* done);
  [[nodiscard]] bool overtaken(const StoredToken& token, const StoredToken& stored) const;
  /// With the clock that its `sent` was read from.
  [[nodiscard]] StoredToken stamped(StoredToken token) const;
  void merge(StoredToken& known, const StoredToken& stored) const;

  const Core& core_;
  std::string key_;
  std::string api_;          ///< the origin that this client talks to
  Duration lag_{0};          ///< what this process knew when it last read or wrote it
  Duration lead_{0};         ///< likewise
  std::optional<bool> had_;  ///< a token, when it was last read
  bool claimed_ = false;
  bool told_ = false;
};

}  // namespace skewguard::runtime
