#pragma once

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/request_parser.hpp"
#include "proxy/access_log.hpp"
#include "proxy/page.hpp"
#include "proxy/token_gate.hpp"
#include "proxy/worker.hpp"
#include "relay/admission.hpp"
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
  void look(std::string_view bytes);
  void invite();
  void arrived();
  [[nodiscard]] Page page_of(relay::Route route);
  void forward();
  void send_to_api();
  void answered(Result<Response> result);

  void reply(Page page);
  void write(std::string head, Secret body);
  void written();
  void note_end();
  void refuse(int status);
  void drain();
  void drain_more();

  Worker& worker_;
  ClientSocket socket_;
  boost::asio::steady_timer limit_;
  net::RequestParser parser_;
  net::ReceivedRequest request_;
  std::optional<TokenGate::Ticket> ticket_;  // while it waits for a token
  Operation call_;
  Instant began_{};
  AccessRecord record_;
  bool invited_ = false;
  bool busy_ = false;
  bool goes_on_ = true;  // another request may follow on this connection
  bool closed_ = false;
  std::string head_;
  Secret body_;
  std::array<char, std::size_t{16} * 1024> in_{};
  std::size_t drained_ = 0;
};

}  // namespace skewguard::proxy
