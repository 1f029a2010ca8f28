#pragma once

#include <map>

#include "guard/call_record.hpp"
#include "runtime/core.hpp"
#include "runtime/token_desk.hpp"

namespace skewguard::runtime {

/// Those who ask for a token to use it by themselves. Part of an engine: on the control loop alone.
class Readers {
 public:
  using Handler = Engine::TokenHandler;
  using Id = oauth::WaiterId;

  Readers(Core& core, TokenDesk& desk) : core_(core), desk_(desk) {}
  ~Readers();
  Readers(const Readers&) = delete;
  Readers& operator=(const Readers&) = delete;

  /// `handler` is called exactly once, never from within this call.
  Id start(const TokenRequestOptions& options, Instant deadline, Handler handler);
  /// Its handler gets `cancelled`. Unknown ids are fine.
  void cancel(Id id);

 private:
  struct Reader {
    Handler handler;
    TokenRequestOptions options;
    Instant deadline{};
    guard::CallRecord record;
  };

  void want(Id id);
  void hand_out(const oauth::action::Deliver& delivered, Id id);
  void refuse(Id id, oauth::TokenFailure failure);
  void answer(Id id, Result<BearerToken> result, int exit_code, Verdict otherwise);
  [[nodiscard]] BearerToken bearer_token(const oauth::action::Deliver& delivered) const;

  Core& core_;
  TokenDesk& desk_;
  std::map<Id, Reader> readers_;
};

}  // namespace skewguard::runtime
