#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/calls.hpp"
#include "engine/token_service.hpp"
#include "guard/call_record.hpp"
#include "skewguard/result.hpp"

namespace skewguard::engine {

/// Token requests from callers that send the token themselves. They get one that the API accepts: a
/// token that it has never accepted is first sent in a guarded call, one call for all callers that
/// ask meanwhile. For the control loop.
class TokenRequests {
 public:
  using Handler = std::function<void(Result<BearerToken>)>;
  using Id = oauth::WaiterId;
  /// What a guarded call must find out.
  struct Question {
    const Request& request;
    Instant deadline;
    std::uint64_t after;  ///< only with a token of a later generation
    bool waited;          ///< a call before this one has, where nothing points to a lag
  };
  using StartCall = std::function<Calls::Id(const Question&, Calls::Handler)>;

  /// Its dependencies; all must outlive it.
  struct Uses {
    Loop& loop;
    const HostClocks& clocks;
    TokenService& tokens;
    const Listeners& listeners;
    const ClientOptions& options;
    std::string token_url;  ///< for reports
    StartCall start_call;
  };
  explicit TokenRequests(Uses uses);
  ~TokenRequests();
  TokenRequests(const TokenRequests&) = delete;
  TokenRequests& operator=(const TokenRequests&) = delete;

  /// `handler` is called exactly once, never from within this call.
  Id start(const TokenRequestOptions& options, Instant deadline, Handler handler);
  /// Cancels the request: its handler gets `cancelled`. Unknown ids are ignored.
  void cancel(Id id);

 private:
  struct Reader {
    Handler handler;
    TokenRequestOptions options;
    Instant deadline{};
    guard::CallRecord record;
    std::uint64_t after = 0;  ///< only tokens of a later generation will do
    bool asked_login = false;
  };
  /// The guarded call in progress, and the callers that wait for its result.
  struct Check {
    Instant deadline{};
    std::vector<Id> waiting;
    std::optional<guard::action::Finish> by_head;  ///< what HEAD came to, where GET is asked next
  };

  void begin(Id id);
  void want(Id id);
  void hand_out(const oauth::action::Deliver& delivered, Id id);
  [[nodiscard]] bool must_verify(const Reader& reader, const oauth::Token& token) const;
  void verify(Id id, std::uint64_t generation);
  void ask_api(std::uint64_t generation);
  void checked(guard::action::Finish finished, std::uint64_t generation);
  void accepted(Id id, const oauth::TokenPtr& token, std::uint64_t asked);
  void give(Id id, const oauth::TokenPtr& token);
  void refuse(Id id, oauth::TokenFailure failure);
  void refuse(Id id, const guard::action::Finish& finished);
  void answer(Id id, Result<BearerToken> result, Verdict otherwise);
  [[nodiscard]] BearerToken bearer_token(const oauth::TokenPtr& token) const;
  [[nodiscard]] BearerToken given_token(const oauth::Token& token) const;

  const Uses uses_;
  Request question_;  ///< what shows whether the API accepts a token; without a path nothing does
  std::optional<Check> check_;
  std::map<Id, Reader> readers_;
};

}  // namespace skewguard::engine
