#include "net/sntp_client.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "http/url.hpp"
#include "net/connector.hpp"
#include "net/open_socket.hpp"

namespace skewguard::net {

namespace asio = boost::asio;
using asio::ip::udp;
using clocks::SntpPace;
using clocks::SntpRefusal;
using FailureKind = SntpFailure::Kind;

namespace {

/// An unpredictable number other than 0; 0 if none is available.
std::uint64_t fresh_nonce() {
  std::array<unsigned char, 8> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return 0;
  std::uint64_t nonce = 0;
  for (const unsigned char byte : bytes) nonce = (nonce << 8U) | byte;
  return std::max<std::uint64_t>(nonce, 1);
}

FailureKind kind_of(SntpRefusal::Kind kind) {
  switch (kind) {
    case SntpRefusal::Kind::kiss:
      return FailureKind::kiss;
    case SntpRefusal::Kind::not_synchronized:
      return FailureKind::not_synchronized;
    case SntpRefusal::Kind::not_ours:
    case SntpRefusal::Kind::unusable:
      break;
  }
  return FailureKind::unusable;
}

/// Shared by all questions of a client.
struct SntpShared {
  Loop io;
  ClockSource& clock;
  std::shared_ptr<Timers> timers;
  Lookup lookup;
  std::map<std::string, SntpPace> paces{};         ///< by "address:port"
  std::map<std::string, std::string> answering{};  ///< "host:port" to the address that has answered
};

/// A question in progress, over any number of addresses. Calls `ended` once at the end.
class SntpQuestion : public std::enable_shared_from_this<SntpQuestion> {
 public:
  using Ended = std::function<void(SntpResult)>;

  SntpQuestion(SntpShared& shared, SntpName name, Instant deadline, Ended ended)
      : shared_(shared),
        name_(std::move(name)),
        deadline_(deadline),
        ended_(std::move(ended)),
        deadline_timer_(shared.timers->make()),
        next_timer_(shared.timers->make()) {}

  void start() {
    watch_deadline();
    if (!ended_) return;
    const auto known = shared_.answering.find(key());
    if (known != shared_.answering.end()) return begin({known->second});
    if (auto addresses = known_addresses(name_.host); !addresses.empty()) return begin(addresses);
    lookup_.emplace(shared_.io, shared_.lookup, name_.host,
                    [this, weak = weak_from_this()](const LookupAnswer& answer) {
                      const auto self = weak.lock();
                      if (!self) return;
                      if (!answer.addresses.empty()) return begin(answer.addresses);
                      fail(FailureKind::dns, name_.host + ": " + answer.why);
                    });
  }

  void fail(FailureKind kind, const std::string& what) {
    note(what);
    end(SntpFailure{kind, detail_});
  }

 private:
  struct Attempt {
    udp::socket socket;
    std::string address;  ///< numeric, without its port
    std::string place;    ///< with it
    std::uint64_t nonce = 0;
    Now sent{};
  };
  using AttemptPtr = std::shared_ptr<Attempt>;  ///< shared only during a callback

  [[nodiscard]] std::string key() const { return http::endpoint_text(name_.host, name_.port); }

  void note(const std::string& what) {
    if (!detail_.empty()) detail_ += "; ";
    detail_ += what;
  }

  void end(SntpResult result) {
    if (!ended_) return;
    deadline_timer_->disarm();
    next_timer_->disarm();
    lookup_.reset();
    attempts_.clear();
    std::exchange(ended_, nullptr)(std::move(result));
  }

  void watch_deadline() {
    const Duration left = deadline_ - shared_.clock.boot_now();
    if (left <= Duration{0}) return time_out();
    deadline_timer_->arm(left, [this, weak = weak_from_this()] {
      if (const auto self = weak.lock()) watch_deadline();
    });
  }

  void time_out() {
    shared_.answering.erase(key());
    std::set<std::string> places;
    for (const auto& attempt : attempts_)
      if (places.insert(attempt->place).second) note(attempt->place + ": no answer" + stray_);
    fail(FailureKind::timeout, "there was no answer in time");
  }

  void begin(const std::vector<std::string>& addresses) {
    addresses_ = by_turns(addresses, SntpClient::kMaxAddresses);
    try_next();
  }

  [[nodiscard]] std::size_t tries() const { return SntpClient::kTries * addresses_.size(); }
  /// After the last request: a second, and longer before the last try.
  [[nodiscard]] Duration patience() const {
    return next_ < 2 * addresses_.size() ? SntpClient::kPatience : 2 * SntpClient::kPatience;
  }
  [[nodiscard]] bool silent(const std::string& place) const {
    return std::ranges::any_of(attempts_,
                               [&](const AttemptPtr& attempt) { return attempt->place == place; });
  }

  /// Asks the next address that may be asked, once it may; in the end, again those that are silent.
  void try_next() {
    next_timer_->disarm();
    while (ended_ && next_ < tries()) {
      const std::string& address = addresses_[next_ % addresses_.size()];
      const std::string place = http::endpoint_text(address, name_.port);
      const bool repeated = next_ >= addresses_.size();
      if (repeated && !silent(place)) {
        ++next_;
        continue;
      }
      auto& pace = shared_.paces[place];
      const auto when = repeated ? pace.again(patience()) : pace.next();
      const Instant now = shared_.clock.boot_now();
      if (!when || *when >= deadline_) {
        ++next_;
        if (repeated) continue;
        lost(place, FailureKind::too_soon,
             when ? "it must not be asked again so soon" : "it does not want to be asked again");
        continue;
      }
      if (*when > now) return try_after(*when - now);
      ++next_;
      if (ask(address, place)) break;
    }
    if (!ended_) return;
    if (next_ < tries() && !attempts_.empty()) return try_after(patience());
    if (attempts_.empty()) end(SntpFailure{last_kind_, detail_});
  }

  void try_after(Duration delay) {
    next_timer_->arm(delay, [this, weak = weak_from_this()] {
      if (const auto self = weak.lock()) try_next();
    });
  }

  void lost(const std::string& place, FailureKind kind, const std::string& why) {
    note(place + ": " + why);
    last_kind_ = kind;
    if (kind != FailureKind::too_soon) shared_.answering.erase(key());
  }

  /// True if the request went out.
  bool ask(const std::string& address, const std::string& place) {
    const auto attempt =
        std::make_shared<Attempt>(udp::socket(shared_.io.executor), address, place, fresh_nonce());
    if (attempt->nonce == 0) {
      lost(place, FailureKind::unreachable, "no random numbers are available");
      return false;
    }
    boost::system::error_code error;
    const udp::endpoint peer(asio::ip::make_address(address, error), name_.port);
    if (!error) open_socket(attempt->socket, peer.protocol(), error);
    if (!error) std::ignore = attempt->socket.non_blocking(true, error);
    if (!error) std::ignore = attempt->socket.connect(peer, error);
    if (!error) {
      const auto request = clocks::sntp_request(attempt->nonce);
      attempt->sent = shared_.clock.now();
      shared_.paces[place].asked(attempt->sent.boot);
      std::ignore = attempt->socket.send(asio::buffer(request), 0, error);
    }
    if (error) {
      lost(place, FailureKind::unreachable, error.message());
      return false;
    }
    attempts_.push_back(attempt);
    await(attempt);
    return true;
  }

  void await(const AttemptPtr& attempt) {
    attempt->socket.async_wait(udp::socket::wait_read, [this, weak = weak_from_this(),
                                                        weak_attempt = std::weak_ptr(attempt)](
                                                           const boost::system::error_code& error) {
      const auto self = weak.lock();
      const auto asked = weak_attempt.lock();
      if (self && asked && !error) read(asked);
    });
  }

  void read(const AttemptPtr& attempt) {
    std::array<std::uint8_t, 512> bytes{};  // of which 48 count
    boost::system::error_code error;
    const std::size_t size = attempt->socket.receive(asio::buffer(bytes), 0, error);
    const Now received = shared_.clock.now();
    if (received.boot >= deadline_) return time_out();
    if (error == asio::error::would_block) return await(attempt);
    if (error) return give_up(attempt, FailureKind::unreachable, error.message());
    auto answer = clocks::read_sntp({bytes.data(), size}, attempt->nonce, attempt->sent, received);
    if (auto* const sample = std::get_if<clocks::SntpSample>(&answer)) {
      shared_.answering[key()] = attempt->address;
      return end(SntpAnswer{*sample, attempt->place});
    }
    const auto& refusal = std::get<SntpRefusal>(answer);
    if (refusal.kind == SntpRefusal::Kind::not_ours) {
      stray_ = " (it received " + refusal.why + ")";
      return await(attempt);
    }
    shared_.paces[attempt->place].told(refusal.wish);
    give_up(attempt, kind_of(refusal.kind), refusal.why);
  }

  void give_up(const AttemptPtr& attempt, FailureKind kind, const std::string& why) {
    std::erase(attempts_, attempt);
    lost(attempt->place, kind, why);
    try_next();
  }

  SntpShared& shared_;
  SntpName name_;
  Instant deadline_;
  Ended ended_;  ///< null once called
  std::unique_ptr<Timer> deadline_timer_;
  std::unique_ptr<Timer> next_timer_;
  std::optional<PendingLookup> lookup_;
  std::vector<std::string> addresses_;
  std::size_t next_ = 0;
  std::vector<AttemptPtr> attempts_;
  FailureKind last_kind_ = FailureKind::unreachable;
  std::string stray_;
  std::string detail_;
};

}  // namespace

Result<SntpName> parse_sntp_name(std::string_view text) {
  constexpr std::string_view kNtpPort = ":123";
  const auto host_end = text.starts_with('[') ? text.find(']') : 0;
  const bool has_port = text.find(':', host_end) != std::string_view::npos;
  std::string url = "http://";
  url.append(text);
  if (!has_port) url.append(kNtpPort);
  const auto parsed = http::parse_url(url);
  if (!parsed || text.ends_with(':') || text.find_first_of("/?") != std::string_view::npos) {
    return Error{
        .kind = ErrorKind::config,
        .message = "\"" + std::string(text) + "\" is not an NTP server",
        .remedy = "use HOST or HOST:PORT, with an IPv6 address in brackets: [2001:db8::1]"};
  }
  return SntpName{parsed->host, parsed->port};
}

Result<void> check_sntp_names(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (auto parsed = parse_sntp_name(name); !parsed) return std::move(parsed).error();
  }
  return {};
}

class SntpClient::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(const Loop& io, ClockSource& clock, Edges edges)
      : shared_{.io = io,
                .clock = clock,
                .timers = edges.timers ? std::move(edges.timers) : asio_timers(io),
                .lookup = std::move(edges.lookup)} {}

  Ticket ask(const std::string& server, Instant deadline, const Handler& handler) {
    const Ticket ticket = ++last_ticket_;
    auto name = parse_sntp_name(server);
    if (!name) {
      answer(handler, SntpFailure{FailureKind::bad_name, name.error().message});
      return ticket;
    }
    auto question = std::make_shared<SntpQuestion>(shared_, *std::move(name), deadline,
                                                   [this, ticket, handler](SntpResult result) {
                                                     questions_.erase(ticket);
                                                     answer(handler, std::move(result));
                                                   });
    questions_.emplace(ticket, question);
    question->start();
    return ticket;
  }

  void cancel(Ticket ticket) {
    const auto found = questions_.find(ticket);
    if (found == questions_.end()) return;
    const auto question = found->second;
    question->fail(FailureKind::cancelled, "the question was cancelled");
  }

 private:
  /// From the loop, and only while the client is there.
  void answer(const Handler& handler, SntpResult result) {
    asio::post(shared_.io.executor,
               [weak = weak_from_this(), handler, result = std::move(result)]() mutable {
                 if (const auto self = weak.lock()) handler(std::move(result));
               });
  }

  SntpShared shared_;
  std::map<Ticket, std::shared_ptr<SntpQuestion>> questions_;
  Ticket last_ticket_ = 0;
};

SntpClient::SntpClient(const Loop& io, ClockSource& clock, Edges edges)
    : impl_(std::make_shared<Impl>(io, clock, std::move(edges))) {}
SntpClient::~SntpClient() = default;

SntpClient::Ticket SntpClient::ask(const std::string& server, Instant deadline,
                                   const Handler& handler) {
  return impl_->ask(server, deadline, handler);
}

void SntpClient::cancel(Ticket ticket) {
  impl_->cancel(ticket);
}

}  // namespace skewguard::net
