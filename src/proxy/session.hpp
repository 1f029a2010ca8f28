#pragma once

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret_text.hpp"
#include "proxy/access_log.hpp"
#include "proxy/page.hpp"
#include "proxy/token_gate.hpp"
#include "proxy/worker.hpp"
#include "relay/admission.hpp"
#include "relay/framing.hpp"
#include "relay/head_codec.hpp"
#include "skewguard/client.hpp"

namespace skewguard::proxy {

/// One client's connection: reads its requests one after the other and answers each, from the API
/// or by itself. For its worker's thread. Its worker holds it until it ends.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Worker& worker, ClientSocket socket);

  void start();
  void close();
  /// No request is under way.
  [[nodiscard]] bool idle() const noexcept { return !busy_; }

 private:
  void limit(std::chrono::seconds time);
  template <typename Handler>
  auto next(Handler handler);

  void read();
  void look();
  void take_head();
  void take_body();
  void invite();
  void arrived();
  void forward();
  void send_to_api();
  void answered(Result<Response> result);

  void reply(Page page);
  void write(std::string head, Secret body);
  void written();
  void note_end();
  void refuse(int status, std::string_view code, std::string_view why);
  void drain();
  void drain_more();

  Worker& worker_;
  ClientSocket socket_;
  boost::asio::steady_timer limit_;
  SecretText pending_;  // what came and has not been taken
  relay::RequestReader head_reader_;
  relay::BodyReader body_reader_;
  bool head_taken_ = false;
  bool expects_continue_ = false;
  int version_ = 11;  // of the request: 10 = HTTP/1.0, 11 = HTTP/1.1
  relay::Route route_ = relay::Route::api;
  Secret authorization_;                     // that the client sent
  Request request_;                          // as it goes on to the API
  std::optional<TokenGate::Ticket> ticket_;  // while it waits for a token
  Operation call_;
  Instant began_{};
  AccessRecord record_;
  bool busy_ = false;
  bool goes_on_ = true;  // another request may follow on this connection
  bool closed_ = false;
  std::string head_;
  Secret body_;
  std::array<char, std::size_t{16} * 1024> in_{};
  std::size_t drained_ = 0;
};

}  // namespace skewguard::proxy
