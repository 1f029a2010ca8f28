#pragma once

#include <atomic>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <unordered_set>

#include "proxy/service.hpp"
#include "proxy/token_gate.hpp"
#include "relay/admission.hpp"

namespace skewguard::proxy {

class Session;

/// A client's connection, TCP or Unix, on a worker's own thread.
using ClientSocket = boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol,
                                                      boost::asio::io_context::executor_type>;

/// The connections of one thread. All functions are for that thread.
class Worker {
 public:
  Worker(boost::asio::io_context& io, Service& service);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void serve(ClientSocket socket);
  /// Takes the local secret anew.
  void reload();
  /// How many connections it has. Thread-safe.
  [[nodiscard]] std::size_t load() const noexcept { return count_.load(std::memory_order_relaxed); }
  /// Every connection ends after the answer that is under way, idle ones after a moment, in which a
  /// request that has been sent already still arrives. `done` is called once all have ended.
  void drain(std::function<void()> done);
  /// Ends all connections at once.
  void stop();

  // For its sessions.
  [[nodiscard]] boost::asio::io_context& io() noexcept { return io_; }
  [[nodiscard]] Service& service() noexcept { return service_; }
  [[nodiscard]] Instant now() const { return service_.client.now(); }
  [[nodiscard]] TokenGate& gate() noexcept { return *gate_; }
  [[nodiscard]] const relay::AdmissionRules& admission() const noexcept { return admission_; }
  /// scheme://host[:port] of the API.
  [[nodiscard]] const std::string& api_origin() const noexcept { return api_origin_; }
  [[nodiscard]] bool draining() const noexcept { return draining_; }
  void ended(const std::shared_ptr<Session>& session);

 private:
  void end_idle();

  boost::asio::io_context& io_;
  Service& service_;
  relay::AdmissionRules admission_;
  const std::string api_origin_;
  std::shared_ptr<TokenGate> gate_;
  boost::asio::steady_timer grace_;
  std::unordered_set<std::shared_ptr<Session>> sessions_;
  std::atomic<std::size_t> count_{0};
  bool draining_ = false;
  std::function<void()> drained_;
};

}  // namespace skewguard::proxy
