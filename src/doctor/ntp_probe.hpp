#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "clocks/sntp.hpp"
#include "doctor/ntp_reading.hpp"
#include "net/sntp_client.hpp"

namespace skewguard::doctor {

/// Asks one NTP server a few times, until a deadline. Runs on one loop.
class NtpProbe : public std::enable_shared_from_this<NtpProbe> {
 public:
  static constexpr std::size_t kQuestions = 2;  ///< more would take longer than the rest: SntpPace

  /// Its references must outlive this object.
  NtpProbe(net::SntpClient& client, ClockSource& clock, std::string host)
      : client_(client), clock_(clock), host_(std::move(host)) {}

  /// `done` is called once, from the loop. May then be started again to continue.
  void start(Instant deadline, std::function<void()> done);
  [[nodiscard]] NtpReading reading() const;

 private:
  void ask();

  net::SntpClient& client_;
  ClockSource& clock_;
  const std::string host_;
  Instant deadline_{};
  std::function<void()> done_;
  clocks::SntpServer known_;
  std::size_t asked_ = 0;
  std::string address_;
  int stratum_ = 0;
  std::string failure_ = "no answer yet";
};

}  // namespace skewguard::doctor
