#include "runtime/shelf.hpp"

#include <exception>
#include <utility>

#include "store/key.hpp"

namespace skewguard::runtime {

Shelf::Shelf(const Core& core)
    : core_(core), key_(store::key_of(core.options)), api_(core.book.origin(core.api)) {}

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

std::optional<Shelf::Loaded> Shelf::load() {
  auto stored = read();
  // While another process asks it is read many times a second.
  if (std::exchange(had_, stored.has_value()) != stored.has_value())
    note(stored ? "it has a token of this client" : "no token of this client");
  if (!stored) return std::nullopt;
  const bool of_this_api = stored->api == api_;
  const auto news = [of_this_api](Duration fact, Duration& known) -> std::optional<Duration> {
    if (!of_this_api || fact == known) return std::nullopt;
    return known = fact;
  };
  const auto lag = news(stored->lag, lag_);
  const auto lead = news(stored->lead, lead_);
  return Loaded{*std::move(stored), lag, lead};
}

std::optional<StoredToken> Shelf::read() {
  auto loaded = attempt([&] { return core_.world.store.load(key_); });
  if (!loaded) {
    tell(loaded.error());
    return std::nullopt;
  }
  std::optional<StoredToken> stored = *std::move(loaded);
  if (stored && stored->api != api_) {
    stored->accepted = false;
    stored->lag = stored->lead = Duration{0};
  }
  return stored;
}

StoredToken Shelf::stamped(StoredToken token) const {
  token.boot_id = core_.world.boot.id;
  token.time_namespace = core_.world.boot.time_namespace;
  return token;
}

void Shelf::save(StoredToken token) {
  token = stamped(std::move(token));
  const auto stored = read();
  if (stored && overtaken(token, *stored)) return;
  const Duration lag = token.lag;
  const Duration lead = token.lead;
  if (stored) merge(token, *stored);
  if (!put(std::move(token), "the new token is kept")) return;
  lag_ = lag;
  lead_ = lead;
}

/// What this process did not learn or unlearn itself is as the others have left it.
void Shelf::merge(StoredToken& known, const StoredToken& stored) const {
  if (stored.api != api_) return;
  if (known.lag == lag_) known.lag = stored.lag;
  if (known.lead == lead_) known.lead = stored.lead;
}

/// The answer came late (this process was frozen, say), and another one has asked since.
bool Shelf::overtaken(const StoredToken& token, const StoredToken& stored) const {
  const bool same_clock = !token.boot_id.empty() && stored.boot_id == token.boot_id &&
                          stored.time_namespace == token.time_namespace;
  return same_clock && stored.sent > token.sent;
}

bool Shelf::learn(const StoredToken& known) {
  const bool mine = claimed_;
  if (!claim()) return false;
  if (auto stored = read()) {
    const bool same = stored->access_token == known.access_token;
    const bool accepted = stored->accepted || (same && known.accepted);
    StoredToken merged = known;
    merge(merged, *stored);
    const bool news =
        accepted != stored->accepted || stored->lag != merged.lag || stored->lead != merged.lead;
    stored->accepted = accepted;
    stored->lag = merged.lag;
    stored->lead = merged.lead;
    if (!news || put(*std::move(stored), "what became known of the token is kept")) {
      lag_ = known.lag;
      lead_ = known.lead;
    }
  }
  if (!mine) release();
  return true;
}

bool Shelf::put(StoredToken token, const char* done) {
  token.api = api_;
  const auto saved = attempt([&] { return core_.world.store.save(key_, token); });
  if (saved) note(done);
  // Without the claim, whoever has it may refuse; that is no fault of the store.
  if (!saved && claimed_) tell(saved.error());
  return saved.ok();
}

void Shelf::forget(const Secret& refused, const std::optional<StoredToken>& instead) {
  const bool mine = claimed_;
  if (!claim()) return;
  if (const auto stored = read(); stored && stored->access_token == refused) {
    if (instead) {
      StoredToken older = stamped(*instead);
      merge(older, *stored);
      put(std::move(older), "the older token is kept, which the API took");
    } else {
      const auto erased = attempt([&] { return core_.world.store.erase(key_); });
      if (!erased) tell(erased.error());
    }
  }
  if (!mine) release();
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
