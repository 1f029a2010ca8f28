#include "doctor/survey.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <future>
#include <memory>
#include <utility>

#include "doctor/clock_probe.hpp"
#include "doctor/ntp_probe.hpp"
#include "net/proxy.hpp"
#include "net/sntp_client.hpp"
#include "net/tls_engine.hpp"

namespace skewguard::doctor {
namespace {

constexpr Duration kTick = std::chrono::milliseconds{100};
constexpr const char* kPool = "pool.ntp.org";
constexpr std::size_t kMostNtp = 4;

/// All that is under way. On one loop alone.
class Measuring {
 public:
  Measuring(SurveyOptions options, net::ProxyRule proxies, ClockSource& clock,
            const Progress& progress)
      : options_(std::move(options)),
        proxies_(std::move(proxies)),
        clock_(clock),
        progress_(progress),
        ntp_client_(io_, clock) {
    if (std::ranges::any_of(options_.servers, &http::Url::tls))
      tls_ = std::make_unique<net::TlsContext>(options_.tls);
  }

  Survey run() {
    host_ = std::async(std::launch::async, read_host, clock_.now(), options_.path);
    watch_.see(clock_.now());
    end_ = clock_.now().boot + options_.budget.time;
    for (const http::Url& url : options_.servers) start(url);
    tick();
    io_.run();
    return known();
  }

 private:
  void start(const http::Url& url) {
    ++under_way_;
    const auto probe = std::make_shared<ClockProbe>(
        net::ProbeRoute{.io = io_,
                        .clock = clock_,
                        .timers = *timers_,
                        .url = url,
                        .method = "HEAD",
                        .tls = tls_.get(),
                        .proxy = proxies_.proxy_for(url)},
        ClockProbe::Options{
            .budget = options_.budget, .staleness = options_.staleness, .lookup = options_.lookup});
    servers_.push_back(probe);
    probe->start([this] { --under_way_; });
  }

  /// As soon as it is known whom to ask.
  void ask_ntp() {
    auto names = options_.ntp;
    if (names.empty()) {
      for (const host::NtpServer& server : host::ntp_servers(found_->services))
        if (names.size() < kMostNtp) names.push_back(text_of(server));
    }
    if (names.empty()) names.emplace_back(kPool);
    for (const std::string& name : names) {
      ++under_way_;
      ntp_.push_back(std::make_shared<NtpProbe>(ntp_client_, clock_, name));
      ntp_.back()->start(end_, [this] { --under_way_; });
    }
  }

  static std::string text_of(const host::NtpServer& server) {
    const bool v6 = server.host.find(':') != std::string::npos;
    return (v6 ? "[" + server.host + "]" : server.host) + ":" + std::to_string(server.port);
  }

  void tick() {
    watch_.see(clock_.now());
    if (!found_ && host_.wait_for(std::chrono::seconds{0}) == std::future_status::ready) {
      found_ = host_.get();
      ask_ntp();
    }
    if (progress_) progress_(known());
    if (found_ && under_way_ == 0) return;
    ticker_->arm(kTick, [this] { tick(); });
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
  const net::ProxyRule proxies_;
  ClockSource& clock_;
  const Progress& progress_;
  boost::asio::io_context io_{1};
  std::shared_ptr<net::Timers> timers_ = net::asio_timers(io_);
  std::unique_ptr<net::Timer> ticker_ = timers_->make();
  std::unique_ptr<net::TlsContext> tls_;
  net::SntpClient ntp_client_;
  std::vector<std::shared_ptr<ClockProbe>> servers_;
  std::vector<std::shared_ptr<NtpProbe>> ntp_;
  std::future<HostReading> host_;
  std::optional<HostReading> found_;
  clocks::LocalWatch watch_;
  Instant end_{};
  std::size_t under_way_ = 0;
};

}  // namespace

Result<Survey> survey(SurveyOptions options, ClockSource& clock, const Progress& progress) {
  auto proxies = net::ProxyRule::make(options.proxy);
  if (!proxies) return std::move(proxies).error();
  Measuring measuring(std::move(options), *std::move(proxies), clock, progress);
  return measuring.run();
}

}  // namespace skewguard::doctor
