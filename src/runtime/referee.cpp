#include "runtime/referee.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "clocks/agreement.hpp"
#include "clocks/clock_book.hpp"
#include "clocks/sample_of.hpp"
#include "clocks/sntp.hpp"
#include "clocks/who_is_wrong.hpp"
#include "http/url.hpp"
#include "net/lookup.hpp"
#include "net/sntp_client.hpp"
#include "system/time_service.hpp"

namespace skewguard::runtime {
namespace {

/// Read only from files: a library does not start programs to ask them.
net::LookupAnswer names_of_this_machine(const std::string& /*any*/) {
  const auto no_program = [](const std::vector<std::string>&) -> Result<std::string> {
    return Error{ErrorKind::unavailable, "it is not asked", ""};
  };
  return {system::ntp_names(system::time_services(system::Files{}, {}, no_program))};
}

/// The URLs where the hosts answer over plain HTTP, each once.
std::vector<http::Url> plain_urls(const ClientOptions& options) {
  std::vector<http::Url> urls;
  std::set<std::string> hosts;
  for (const std::string& base : {options.login_url, options.api_url}) {
    const auto url = http::parse_url(base);
    if (url && url->tls() && hosts.insert(url->host).second)
      urls.push_back({.scheme = "http", .host = url->host, .port = 80, .target = "/"});
  }
  return urls;
}

/// What a query needs.
struct Witnesses {
  const ClientOptions& options;
  ClockSource& clock;
  Transport& transport;
  const net::Loop& loop;
  net::SntpClient& sntp;
};

/// One query to all of them. Ends by calling `handler`, once.
class Hearing : public std::enable_shared_from_this<Hearing> {
 public:
  Hearing(const Witnesses& witnesses, Instant deadline, Referee::Handler handler)
      : witnesses_(witnesses),
        deadline_(deadline),
        handler_(std::move(handler)),
        book_({.staleness = witnesses.options.staleness}) {}
  ~Hearing() { withdraw(); }
  Hearing(const Hearing&) = delete;
  Hearing& operator=(const Hearing&) = delete;

  void start() {
    for (const http::Url& url : plain_urls(witnesses_.options)) ask_plainly(url);
    if (witnesses_.options.ntp) return ask_ntp(*witnesses_.options.ntp);
    lookup_.emplace(witnesses_.loop, &names_of_this_machine, "",
                    [weak = weak_from_this()](const net::LookupAnswer& names) {
                      if (const auto self = weak.lock()) self->ask_ntp(names.addresses);
                    });
  }

 private:
  struct Ntp {
    clocks::SntpServer server;
    std::string address;  ///< empty: no answer, or none yet
  };
  struct Plain {
    ServerId server;
    Transport::Ticket ticket = 0;
    bool over = false;
  };

  void ask_plainly(const http::Url& url) {
    const std::size_t place = plain_.size();
    plain_.push_back({.server = book_.id(url.origin())});
    plain_[place].ticket = witnesses_.transport.send(
        HttpRequest{"HEAD", url.text(), {}, {}, {}}, SendOptions{deadline_, 0},
        [weak = weak_from_this(), place](const SendResult& result) {
          const auto self = weak.lock();
          if (!self) return;
          Plain& plain = self->plain_[place];
          plain.over = true;
          const auto* exchange = std::get_if<Exchange>(&result);
          if (exchange != nullptr) {
            if (const auto sample = clocks::sample_of(*exchange))
              static_cast<void>(self->book_.observe(plain.server, *sample));
          }
          self->look();
        });
  }

  void ask_ntp(const std::vector<std::string>& names) {
    ntp_.resize(names.size());
    ntp_left_ = names.size();
    for (std::size_t i = 0; i < names.size(); ++i) {
      questions_.push_back(witnesses_.sntp.ask(
          names[i], deadline_, [weak = weak_from_this(), i](const net::SntpResult& result) {
            const auto self = weak.lock();
            if (!self) return;
            --*self->ntp_left_;
            if (const auto* answer = std::get_if<net::SntpAnswer>(&result)) {
              static_cast<void>(self->ntp_[i].server.observe(answer->sample));
              self->ntp_[i].address = answer->address;
            }
            self->look();
          }));
    }
  }

  /// Reports as soon as no outstanding answer could change the result.
  void look() {
    if (!handler_ || !ntp_left_) return;
    if (const auto ntp = by_ntp()) return report(ntp);
    if (*ntp_left_ > 0) return;
    if (!std::ranges::all_of(plain_, &Plain::over)) return;
    report(by_date());
  }

  /// The first, unless another one contradicts it.
  [[nodiscard]] std::optional<TimeReport> by_date() const {
    std::optional<TimeReport> first;
    for (const Plain& plain : plain_) {
      const auto truth = book_.to_wall(plain.server, witnesses_.clock.now());
      if (!truth) continue;
      if (!first) first = TimeReport{*truth, "the Date of " + book_.origin(plain.server)};
      if (clocks::distance(first->offset, *truth) > clocks::kTolerance) return std::nullopt;
    }
    return first;
  }

  /// What the majority agrees on, once outstanding answers cannot outvote it.
  [[nodiscard]] std::optional<TimeReport> by_ntp() const {
    const Now now = witnesses_.clock.now();
    std::vector<clocks::Source> sources;
    for (const Ntp& ntp : ntp_) {
      const auto truth = ntp.server.truth(now);
      const bool again = std::ranges::count(sources, ntp.address, &clocks::Source::name) > 0;
      if (truth && !again) sources.push_back({ntp.address, *truth, ntp.address});
    }
    const auto agreement = clocks::agree(sources, clocks::kTolerance);
    if (!agreement.agreed || 2 * agreement.largest.size() <= sources.size() + *ntp_left_)
      return std::nullopt;
    std::string who;
    for (const std::size_t place : agreement.largest)
      who += (who.empty() ? "NTP (" : ", ") + sources[place].name;
    return TimeReport{*agreement.agreed, who + ")", agreement.largest.size()};
  }

  void report(std::optional<TimeReport> time) {
    withdraw();
    std::exchange(handler_, nullptr)(std::move(time));
  }

  /// Cancels the outstanding queries.
  void withdraw() {
    for (const auto question : std::exchange(questions_, {})) witnesses_.sntp.cancel(question);
    for (const Plain& plain : plain_)
      if (!plain.over) witnesses_.transport.cancel(plain.ticket);
  }

  const Witnesses witnesses_;
  const Instant deadline_;
  Referee::Handler handler_;  // null once called
  clocks::ClockBook book_;
  std::optional<net::PendingLookup> lookup_;
  std::vector<Plain> plain_;
  std::vector<Ntp> ntp_;
  std::vector<net::SntpClient::Ticket> questions_;
  std::optional<std::size_t> ntp_left_;  // nothing until it is known whom to ask
};

class RealReferee final : public Referee {
 public:
  RealReferee(ClientOptions options, ClockSource& clock, Transport& transport,
              const boost::asio::any_io_executor& executor)
      : options_(std::move(options)),
        loop_(executor),
        sntp_(loop_, clock),
        witnesses_{options_, clock, transport, loop_, sntp_} {}

  void ask(Instant deadline, Handler handler) override {
    hearing_ = std::make_shared<Hearing>(witnesses_, deadline, std::move(handler));
    hearing_->start();
  }

 private:
  const ClientOptions options_;
  const net::Loop loop_;
  net::SntpClient sntp_;
  const Witnesses witnesses_;
  std::shared_ptr<Hearing> hearing_;  // the last one
};

/// Copies only the options needed here, and no secret.
ClientOptions without_secrets(const ClientOptions& options) {
  ClientOptions out;
  out.login_url = options.login_url;
  out.api_url = options.api_url;
  out.staleness = options.staleness;
  out.ntp = options.ntp;
  return out;
}

}  // namespace

std::unique_ptr<Referee> real_referee(const ClientOptions& options, ClockSource& clock,
                                      Transport& transport,
                                      const boost::asio::any_io_executor& executor) {
  if (options.ntp && options.ntp->empty()) return nullptr;
  return std::make_unique<RealReferee>(without_secrets(options), clock, transport, executor);
}

}  // namespace skewguard::runtime
