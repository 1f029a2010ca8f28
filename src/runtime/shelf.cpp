#include "runtime/shelf.hpp"

#include <exception>
#include <utility>

#include "store/key.hpp"

namespace skewguard::runtime {

Shelf::Shelf(const Core& core) : core_(core), key_(store::key_of(core.options)) {}

/// A user's store may throw.
template <typename What>
auto Shelf::attempt(const What& what) -> decltype(what()) {
  try {
    return what();
  } catch (const std::exception& e) {
    return Error{ErrorKind::unavailable, std::string("the token store threw: ") + e.what(), ""};
  } catch (...) {
    return Error{ErrorKind::unavailable, "the token store threw", ""};
  }
}

void Shelf::tell(const Error& error) {
  if (std::exchange(told_, true)) return;
  core_.log(
      {LogLevel::warn, "going on without the token store (said once): " + describe(error), {}, {}});
}

void Shelf::note(const char* what) const {
  core_.log({LogLevel::debug, std::string("token store: ") + what, {}, {}});
}

std::optional<StoredToken> Shelf::load() {
  auto loaded = attempt([&] { return core_.world.store.load(key_); });
  if (loaded) {
    note(*loaded ? "it has a token of this client" : "no token of this client");
    return *std::move(loaded);
  }
  tell(loaded.error());
  return std::nullopt;
}

void Shelf::save(StoredToken token) {
  token.boot_id = core_.world.boot.id;
  token.time_namespace = core_.world.boot.time_namespace;
  const auto saved = attempt([&] { return core_.world.store.save(key_, token); });
  // Without the claim, whoever has it may refuse; that is no fault of the store.
  if (saved) note("the new token is kept");
  if (!saved && claimed_) tell(saved.error());
}

void Shelf::erase() {
  const auto erased = attempt([&] { return core_.world.store.erase(key_); });
  if (!erased) tell(erased.error());
}

bool Shelf::claim() {
  if (claimed_) return true;
  const auto claimed = attempt([&] { return core_.world.store.claim(key_); });
  if (!claimed) {
    tell(claimed.error());
    return true;
  }
  return claimed_ = *claimed;
}

void Shelf::release() {
  if (!std::exchange(claimed_, false)) return;
  const auto released = attempt([&]() -> Result<void> {
    core_.world.store.release(key_);
    return {};
  });
  if (!released) tell(released.error());
}

}  // namespace skewguard::runtime
