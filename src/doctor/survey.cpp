#include "doctor/survey.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <future>
#include <memory>
#include <utility>

#include "doctor/clock_probe.hpp"
#include "doctor/ntp_probe.hpp"
#include "net/dialer.hpp"
#include "net/proxy.hpp"
#include "net/sntp_client.hpp"

namespace skewguard::doctor {
namespace {

/// Limits the rate of rounds, so that servers that fail at once are not asked continuously.
constexpr Duration kShortestRound = std::chrono::seconds{2};
constexpr Duration kProgressInterval = std::chrono::milliseconds{100};

/// All probes in progress. Runs on one loop.
class Measuring {
 public:
  Measuring(SurveyOptions options, net::ProxyRule proxies, ClockSource& clock,
            const Progress& progress)
      : options_(std::move(options)),
        clock_(clock),
        progress_(progress),
        dialer_(io_, clock, options_.tls, {}, {.timers = timers_, .lookup = options_.lookup},
                std::move(proxies)),
        ntp_client_(io_, clock),
        servers_(options_.servers.size()) {}

  Survey round() {
    host_ = std::async(std::launch::async, read_host, clock_.now(), options_.path);
    start_ = clock_.now().boot;
    end_ = start_ + options_.budget.time;
    for (std::size_t i = 0; i < options_.servers.size(); ++i) start(i);
    run([this] { tick(); });
    return known();
  }

  /// Waits until another round may start.
  void rest() {
    run([this] { pause(); });
  }

 private:
  void run(std::function<void()> first) {
    io_.restart();
    boost::asio::post(io_, std::move(first));
    io_.run();
    io_.restart();
    io_.poll();  // what was given up ends
  }

  void start(std::size_t place) {
    ++under_way_;
    const http::Url& url = options_.servers[place];
    auto& probe = servers_[place];
    probe = std::make_shared<ClockProbe>(
        net::ProbeRoute{
            .dialer = dialer_, .route = dialer_.route_to(url).value(), .method = "HEAD"},
        ClockProbe::Options{
            .budget = options_.budget, .staleness = options_.staleness, .lookup = options_.lookup},
        probe ? probe->plan() : std::nullopt);
    probe->start([this] { --under_way_; });
  }

  /// Called once the NTP servers are known.
  void ask_ntp() {
    if (ntp_.empty()) {
      for (const std::string& name :
           options_.ntp ? *options_.ntp : system::ntp_names(found_->services))
        ntp_.push_back(std::make_shared<NtpProbe>(ntp_client_, clock_, name));
    }
    for (const auto& probe : ntp_) {
      ++under_way_;
      probe->start(end_, [this] { --under_way_; });
    }
  }

  void tick() {
    watch_.see(clock_.now());
    if (host_.valid() && host_.wait_for(std::chrono::seconds{0}) == std::future_status::ready) {
      found_ = host_.get();
      ask_ntp();
    }
    if (progress_) progress_(known());
    // Nobody waits for what is left in the loop.
    if (!host_.valid() && under_way_ == 0) return io_.stop();
    ticker_->arm(kProgressInterval, [this] { tick(); });
  }

  void pause() {
    watch_.see(clock_.now());
    if (clock_.now().boot >= start_ + kShortestRound) return io_.stop();
    ticker_->arm(kProgressInterval, [this] { pause(); });
  }

  [[nodiscard]] Survey known() const {
    Survey survey;
    for (const auto& probe : servers_) survey.servers.push_back(probe->reading());
    for (const auto& probe : ntp_) survey.ntp.push_back(probe->reading());
    if (found_) survey.host = *found_;
    survey.host.watch = watch_;
    return survey;
  }

  const SurveyOptions options_;
  ClockSource& clock_;
  const Progress& progress_;
  boost::asio::io_context io_{1};
  std::shared_ptr<net::Timers> timers_ = net::asio_timers(io_);
  std::unique_ptr<net::Timer> ticker_ = timers_->make();
  net::Dialer dialer_;
  net::SntpClient ntp_client_;
  std::vector<std::shared_ptr<ClockProbe>> servers_;
  std::vector<std::shared_ptr<NtpProbe>> ntp_;
  std::future<HostReading> host_;
  std::optional<HostReading> found_;
  clocks::LocalWatch watch_;
  Instant start_{};  // of this round
  Instant end_{};
  std::size_t under_way_ = 0;
};

}  // namespace

Result<Survey> survey(SurveyOptions options, ClockSource& clock, const Progress& progress,
                      const Again& again) {
  auto proxies = net::ProxyRule::make(options.proxy);
  if (!proxies) return std::move(proxies).error();
  if (options.ntp) {
    if (auto ok = net::check_sntp_names(*options.ntp); !ok) return std::move(ok).error();
  }
  Measuring measuring(std::move(options), *std::move(proxies), clock, progress);
  for (;;) {
    auto known = measuring.round();
    if (!again || !again(known)) return known;
    measuring.rest();
  }
}

}  // namespace skewguard::doctor
