#include "doctor/ntp_probe.hpp"

#include <utility>

namespace skewguard::doctor {

void NtpProbe::start(Instant deadline, std::function<void()> done) {
  deadline_ = deadline;
  done_ = std::move(done);
  asked_ = 0;
  ask();
}

void NtpProbe::ask() {
  ++asked_;
  client_.ask(host_, deadline_, [weak = weak_from_this()](const net::SntpResult& result) {
    const auto self = weak.lock();
    if (!self) return;
    if (const auto* failure = std::get_if<net::SntpFailure>(&result)) {
      if (self->address_.empty()) self->failure_ = failure->detail;
      return self->done_();
    }
    const auto& answer = std::get<net::SntpAnswer>(result);
    static_cast<void>(self->known_.observe(answer.sample));
    self->address_ = answer.address;
    self->stratum_ = answer.sample.stratum;
    self->asked_ < kQuestions ? self->ask() : self->done_();
  });
}

NtpReading NtpProbe::reading() const {
  const Now now = clock_.now();
  NtpReading reading{.host = host_, .address = address_, .stratum = stratum_};
  reading.server = known_.server(now);
  reading.truth = known_.truth(now);
  if (!reading.truth) reading.failure = failure_;
  return reading;
}

std::string NtpReading::why() const {
  for (const std::string& named : {host, host + ":123", host.substr(0, host.rfind(':'))}) {
    if (failure.starts_with(named + ": ")) return failure.substr(named.size() + 2);
  }
  return failure;
}

}  // namespace skewguard::doctor
