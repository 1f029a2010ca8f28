#include "doctor/survey.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <utility>

namespace skewguard::doctor {

Survey::Survey(const net::Loop& io, ClockSource& clock, net::Timers& timers, SurveyOptions options,
               net::ProxyRule proxies)
    : proxies_(std::move(proxies)) {
  if (std::ranges::any_of(options.servers, &http::Url::tls))
    tls_ = std::make_unique<net::TlsContext>(options.tls);
  for (http::Url& url : options.servers) {
    const net::Proxy* proxy = proxies_.proxy_for(url);
    probes_.push_back(std::make_shared<ClockProbe>(
        net::ProbeRoute{.io = io,
                        .clock = clock,
                        .timers = timers,
                        .url = std::move(url),
                        .method = "HEAD",
                        .tls = tls_.get(),
                        .proxy = proxy},
        ClockProbe::Options{
            .budget = options.budget, .staleness = options.staleness, .lookup = options.lookup}));
  }
}

void Survey::start(const std::function<void()>& done) {
  under_way_ = probes_.size();
  for (const auto& probe : probes_) {
    probe->start([this, done] {
      if (--under_way_ == 0) done();
    });
  }
}

std::vector<ClockReading> Survey::readings() const {
  std::vector<ClockReading> readings;
  readings.reserve(probes_.size());
  for (const auto& probe : probes_) readings.push_back(probe->reading());
  return readings;
}

Result<std::vector<ClockReading>> measure(SurveyOptions options, ClockSource& clock,
                                          const Progress& progress) {
  auto proxies = net::ProxyRule::make(options.proxy);
  if (!proxies) return std::move(proxies).error();
  if (options.servers.empty()) return std::vector<ClockReading>{};
  boost::asio::io_context io{1};
  const auto timers = net::asio_timers(io);
  Survey survey(io, clock, *timers, std::move(options), *std::move(proxies));
  const auto ticker = timers->make();
  std::function<void()> tick = [&] {
    if (progress) progress(survey.readings());
    ticker->arm(std::chrono::milliseconds{100}, tick);
  };
  survey.start([&] { io.stop(); });
  tick();
  io.run();
  return survey.readings();
}

}  // namespace skewguard::doctor
