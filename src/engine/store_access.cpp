#include "engine/store_access.hpp"

#include <deque>
#include <exception>
#include <mutex>
#include <utility>

#include "base/fork_mutex.hpp"
#include "oauth/visible.hpp"
#include "oauth/withhold.hpp"
#include "store/record_text.hpp"

namespace skewguard::engine {

/// Receives the store's answers, on any thread and however late they come.
struct StoreAccess::Inbox {
  struct Letter {
    sharing::OperationId operation;
    Result<TokenStore::Swapped> result;
  };

  void put(Letter letter) {
    const std::lock_guard lock(mutex);
    letters.push_back(std::move(letter));
    if (letters.size() == 1 && announce) announce();
  }
  std::optional<Letter> take() {
    const std::lock_guard lock(mutex);
    if (letters.empty()) return std::nullopt;
    Letter first = std::move(letters.front());
    letters.pop_front();
    return first;
  }
  /// Nobody reads it any more.
  void close() {
    const std::lock_guard lock(mutex);
    announce = nullptr;
  }

  ForkMutex mutex;
  std::deque<Letter> letters;
  std::function<void()> announce;  ///< has open_inbox() called in a turn
};

StoreAccess::StoreAccess(Loop& loop, const Log& log, TokenStore& store, std::string key, Tell tell)
    : log_(log),
      store_(store),
      tell_(std::move(tell)),
      key_(std::move(key)),
      inbox_(std::make_shared<Inbox>()) {
  inbox_->announce = [this, &loop] { loop.later([this] { open_inbox(); }); };
}

StoreAccess::~StoreAccess() {
  inbox_->close();
}

void StoreAccess::read(const sharing::action::Read& read) {
  auto handler = answer_to(read.operation);
  attempt(handler, [&] {
    store_.read(key_, [handler](Result<std::optional<TokenStore::Value>> result) {
      if (!result) return handler(result.error());
      handler(TokenStore::Swapped{false, *std::move(result)});
    });
  });
}

void StoreAccess::swap(const sharing::action::Swap& swap) {
  auto handler = answer_to(swap.operation);
  if (swap.record.token) written_ = swap.record.token->value;
  auto text = store::to_text(key_, swap.record);
  if (!text) {
    return handler(Error{ErrorKind::unavailable,
                         "this token cannot be stored: it is too long, or its lifetime, a time or "
                         "a name in it is out of range",
                         ""});
  }
  attempt(handler, [&] { store_.swap(key_, swap.version, *std::move(text), handler); });
}

/// A user's store may throw.
template <typename What>
void StoreAccess::attempt(const std::function<void(Result<TokenStore::Swapped>)>& handler,
                          const What& what) {
  try {
    what();
  } catch (const std::exception& e) {
    handler(Error{ErrorKind::unavailable, std::string("the token store threw: ") + e.what(), ""});
  } catch (...) {
    handler(Error{ErrorKind::unavailable, "the token store threw", ""});
  }
}

std::function<void(Result<TokenStore::Swapped>)> StoreAccess::answer_to(
    sharing::OperationId operation) {
  return [operation, inbox = inbox_](Result<TokenStore::Swapped> result) {
    inbox->put({operation, std::move(result)});
  };
}

void StoreAccess::open_inbox() {
  while (auto letter = inbox_->take()) tell(letter->operation, letter->result);
}

void StoreAccess::tell(sharing::OperationId operation, const Result<TokenStore::Swapped>& result) {
  if (result)
    return tell_(sharing::event::Stored{operation, result->swapped, decoded(result->value)});
  // A user's store may quote what it was to write in its error.
  report(oauth::withhold(oauth::visible(describe(result.error()), 500), {written_.reveal()}));
  tell_(sharing::event::StoreFailed{operation});
}

/// An unusable record is replaced by the next token.
std::optional<sharing::Value> StoreAccess::decoded(const std::optional<TokenStore::Value>& value) {
  if (!value) return std::nullopt;
  auto record = store::record_of(key_, value->text.reveal());
  if (!record) {
    report("its content is truncated, altered or from another program; the next token replaces it");
  }
  return sharing::Value{value->version, std::move(record).value_or(sharing::Record{})};
}

void StoreAccess::report(const std::string& what) {
  if (std::exchange(reported_, true)) return;
  log_.write(
      {LogLevel::warn, "continuing without the token store (reported once): " + what, {}, {}});
}

}  // namespace skewguard::engine
