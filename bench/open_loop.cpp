// Sends requests at a fixed rate, whatever the answers take: bench_open_loop PORT RATE SECONDS
// Each request is what stands on stdin, sent to 127.0.0.1:PORT over a connection that is idle, or a
// new one. Its time runs from the moment when it was due to the last byte of its answer: a server
// that falls behind does not slow the measurement down. The first tenth does not count. Prints
// JSON: answers that count, 50th and 99th percentile in microseconds, connections. Exit 1 where an
// answer is not 2xx.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::nanoseconds;

constexpr std::size_t kMaxConnections = 1000;

[[noreturn]] void die(const std::string& why) {
  std::cerr << "bench_open_loop: " << why << "\n";
  std::exit(1);
}

struct Connection {
  int socket = -1;
  Steady::time_point due;
  bool counts = false;
  std::string answer;
};

/// The size of the answer in `bytes`, as soon as its head is there; 0 before.
std::size_t answer_size(std::string_view bytes) {
  const auto end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  if (!bytes.starts_with("HTTP/1.1 2")) die("an answer is not 2xx: " + std::string(bytes));
  std::string head(bytes.substr(0, end));
  std::ranges::transform(head, head.begin(), [](unsigned char c) { return std::tolower(c); });
  constexpr std::string_view kLength = "\r\ncontent-length: ";
  const auto field = head.find(kLength);
  if (field == std::string::npos) die("an answer has no Content-Length");
  return end + 4 + std::strtoul(head.c_str() + field + kLength.size(), nullptr, 10);
}

class OpenLoop {
 public:
  OpenLoop(std::uint16_t port, double rate, double seconds, std::string request)
      : port_(port),
        pause_(static_cast<std::int64_t>(1e9 / rate)),
        count_(static_cast<std::size_t>(rate * seconds)),
        request_(std::move(request)) {}

  void run() {
    const auto start = Steady::now();
    std::size_t sent = 0;
    while (sent < count_ || idle_.size() < all_.size()) {
      const auto due = start + pause_ * static_cast<std::int64_t>(sent);
      if (sent < count_ && Steady::now() >= due) {
        send(due, sent >= count_ / 10);
        ++sent;
        continue;
      }
      wait(sent < count_ ? due - Steady::now() : nanoseconds(std::chrono::seconds(10)));
    }
  }

  void print() {
    std::ranges::sort(times_);
    const auto at = [&](std::size_t percent) {
      return static_cast<double>(times_[(times_.size() - 1) * percent / 100].count()) / 1000;
    };
    std::printf(R"({"answers": %zu, "p50_us": %.1f, "p99_us": %.1f, "connections": %zu})"
                "\n",
                times_.size(), at(50), at(99), all_.size());
  }

 private:
  Connection& connect() {
    if (all_.size() == kMaxConnections) die("the server does not keep up");
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      die("no connection");
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    all_.push_back({.socket = socket, .due = {}, .counts = false, .answer = {}});
    epoll_event event{.events = EPOLLIN, .data = {.ptr = &all_.back()}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event);
    return all_.back();
  }

  void send(Steady::time_point due, bool counts) {
    Connection& connection = idle_.empty() ? connect() : *idle_.back();
    if (!idle_.empty()) idle_.pop_back();
    connection.due = due;
    connection.counts = counts;
    connection.answer.clear();
    const auto size = ::send(connection.socket, request_.data(), request_.size(), MSG_NOSIGNAL);
    if (size != static_cast<ssize_t>(request_.size())) die("a request could not be sent");
  }

  void wait(nanoseconds time) {
    if (time < nanoseconds(0)) return;
    std::array<epoll_event, 64> events{};
    const timespec limit{.tv_sec = time.count() / 1'000'000'000,
                         .tv_nsec = time.count() % 1'000'000'000};
    const int ready =
        ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &limit, nullptr);
    if (ready < 0 && errno != EINTR) die("epoll_pwait2 failed");
    if (ready == 0 && time >= std::chrono::seconds(10)) die("an answer did not come in 10 s");
    for (int i = 0; i < ready; ++i) receive(*static_cast<Connection*>(events.at(i).data.ptr));
  }

  void receive(Connection& connection) {
    const auto size = ::recv(connection.socket, buffer_.data(), buffer_.size(), 0);
    if (size <= 0) die("a connection was closed");
    connection.answer.append(buffer_.data(), static_cast<std::size_t>(size));
    const auto whole = answer_size(connection.answer);
    if (whole == 0 || connection.answer.size() < whole) return;
    if (connection.counts) times_.push_back(Steady::now() - connection.due);
    idle_.push_back(&connection);
  }

  const std::uint16_t port_;
  const nanoseconds pause_;
  const std::size_t count_;
  const std::string request_;
  const int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  std::deque<Connection> all_;  // they stay where they are
  std::vector<Connection*> idle_;
  std::vector<nanoseconds> times_;
  std::array<char, std::size_t{64} * 1024> buffer_{};
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) die("usage: bench_open_loop PORT RATE SECONDS <REQUEST");
  ::prctl(PR_SET_TIMERSLACK, 1);  // nanosecond
  OpenLoop loop(static_cast<std::uint16_t>(std::strtoul(arguments[1], nullptr, 10)),
                std::strtod(arguments[2], nullptr), std::strtod(arguments[3], nullptr),
                std::string(std::istreambuf_iterator<char>(std::cin), {}));
  loop.run();
  loop.print();
  return 0;
}
