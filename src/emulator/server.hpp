#pragma once

#include <functional>
#include <memory>
#include <string>

#include "emulator/cloud_emulator.hpp"
#include "emulator/options.hpp"
#include "skewguard/result.hpp"
#include "skewguard/transport.hpp"

namespace boost::asio {
class io_context;
}

namespace skewguard::emulator {

/// Serves a CloudEmulator on two ports. Runs on the io_context, which only one thread may run;
/// prints nothing. The emulator, the clocks and the io_context must outlive it.
class Server {
  struct Impl;

 public:
  /// Binds, creates the certificate if TLS is requested, and starts to listen. Sets the issuer in
  /// CloudEmulator::settings() to the login host's URL.
  static Result<std::unique_ptr<Server>> start(boost::asio::io_context& io, ClockSource& clocks,
                                               CloudEmulator& cloud, const ListenOptions& options);
  explicit Server(std::shared_ptr<Impl> impl);  ///< start() makes it
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] const std::string& login_url() const noexcept;  ///< "http://127.0.0.1:PORT"
  [[nodiscard]] const std::string& api_url() const noexcept;
  [[nodiscard]] const std::string& ca_file() const noexcept;  ///< PEM; empty without TLS

  /// Called after `POST /emulator/quit` has been answered. Default: stop().
  void on_quit(std::function<void()> handler);
  /// Closes both ports and every connection. Call it on the io_context's thread.
  void stop();

 private:
  std::shared_ptr<Impl> impl_;
};

/// 64 random bits from the system, for an emulator whose tokens must not be guessable.
std::uint64_t system_seed();

}  // namespace skewguard::emulator
