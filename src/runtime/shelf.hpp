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

  std::optional<StoredToken> load();
  void save(StoredToken token);
  void erase();
  /// False: another process asks for a token just now. True also where the store does not work.
  bool claim();
  void release();

 private:
  template <typename What>
  auto attempt(const What& what) -> decltype(what());
  void tell(const Error& error);
  void note(const char* what) const;

  const Core& core_;
  std::string key_;
  bool claimed_ = false;
  bool told_ = false;
};

}  // namespace skewguard::runtime
