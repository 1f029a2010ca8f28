#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "certificates.hpp"

namespace boost::asio {
class io_context;
}

namespace skewguard::net::testing_server {

/// What the server does on a connection, step by step.
struct Step {
  enum class Kind {
    read_request,  ///< waits for one whole request and keeps it
    read_bytes,    ///< waits for `piece` bytes of a request
    write,         ///< `bytes`, `piece` at a time
    close,         ///< in good order (TLS: with a good-bye)
    cut,           ///< TLS: closes without a good-bye; plain: as close
    reset,         ///< RST
    write_raw,     ///< `bytes` past TLS
    key_updates,   ///< TLS 1.3: `piece` of them, in records of their own
    until,         ///< goes round the loop until `holds`
  };
  Kind kind = Kind::read_request;
  std::string bytes{};
  std::size_t piece = SIZE_MAX;
  std::function<bool()> holds{};
};
using Script = std::vector<Step>;

Step read_request();
Step read_bytes(std::size_t count);
Step write(std::string bytes, std::size_t piece = SIZE_MAX);
Step write_raw(std::string bytes);
/// TLS 1.3 records that carry no content, 27 bytes each.
Step key_updates(std::size_t count);
Step close();
Step cut();
Step reset();
Step until(std::function<bool()> holds);
/// An ordinary answer with that body.
std::string answer(const std::string& body, const std::string& status = "200 OK");

/// Listens on 127.0.0.1, any free port. The n-th connection plays the n-th script, and then hangs.
class ScriptedServer {
 public:
  /// With an identity, it uses TLS.
  ScriptedServer(boost::asio::io_context& io, std::vector<Script> scripts,
                 const testing_certificates::Identity* identity = nullptr);
  /// A TLS server that requires a certificate from this authority, valid at `when`.
  struct Demand {
    testing_certificates::Certificate authority;
    WallTime when{};
    int version = 0;  ///< TLS1_2_VERSION or TLS1_3_VERSION
  };
  ScriptedServer(boost::asio::io_context& io, std::vector<Script> scripts,
                 const testing_certificates::Identity& identity, const Demand& demand);
  /// A TLS server configured by `set_up`.
  ScriptedServer(boost::asio::io_context& io, std::vector<Script> scripts,
                 const testing_certificates::Identity& identity,
                 const std::function<void(SSL_CTX*)>& set_up);
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  ~ScriptedServer();

  [[nodiscard]] std::uint16_t port() const;
  /// "http://127.0.0.1:PORT" or "https://localhost:PORT", and `path`.
  [[nodiscard]] std::string url(const std::string& path = "/") const;
  [[nodiscard]] const std::vector<std::string>& requests() const;  ///< whole, in order
  [[nodiscard]] std::size_t connections() const;
  [[nodiscard]] std::size_t resumed() const;   ///< connections that resumed a TLS session
  [[nodiscard]] std::size_t finished() const;  ///< scripts that have come to their end

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace skewguard::net::testing_server
