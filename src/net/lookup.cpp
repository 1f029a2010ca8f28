#include "net/lookup.hpp"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "base/signals.hpp"
namespace skewguard::net {
namespace asio = boost::asio;

LookupAnswer system_lookup(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  const int code = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  const int saved_errno = errno;
  if (code != 0) {
    return {{},
            code == EAI_SYSTEM ? std::generic_category().message(saved_errno)
                               : std::string(gai_strerror(code)),
            code == EAI_NONAME};
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  LookupAnswer answer;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (getnameinfo(entry->ai_addr, entry->ai_addrlen, text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST) == 0) {
      answer.addresses.emplace_back(text.data());
    }
  }
  if (answer.addresses.empty()) answer.why = "no usable address";
  return answer;
}

std::vector<std::string> known_addresses(const std::string& host) {
  if (host == "localhost") return {"127.0.0.1", "::1"};
  boost::system::error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (error) return {};
  return {address.to_string()};
}

std::vector<std::string> by_turns(const std::vector<std::string>& addresses, std::size_t most) {
  const auto is_v6 = [](const std::string& address) {
    return address.find(':') != std::string::npos;
  };
  std::vector<std::string> first;
  std::vector<std::string> second;
  for (const auto& address : addresses) {
    (is_v6(address) == is_v6(addresses.front()) ? first : second).push_back(address);
  }
  std::vector<std::string> order;
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) order.push_back(first[i]);
    if (i < second.size()) order.push_back(second[i]);
  }
  if (order.size() > most) order.resize(most);
  return order;
}

struct PendingLookup::Shared {
  using Work = asio::executor_work_guard<asio::any_io_executor>;
  std::mutex mutex;
  std::optional<Work> work;  ///< keeps the loop running; empty once answered or withdrawn
  Handler handler;

  void answer(LookupAnswer found) {
    const std::scoped_lock lock(mutex);
    if (!work) return;
    asio::post(work->get_executor(),
               [handler = std::move(handler), found = std::move(found)]() mutable {
                 handler(std::move(found));
               });
    work.reset();
  }
};

PendingLookup::PendingLookup(const Loop& io, Lookup lookup, std::string host, Handler handler)
    : shared_(std::make_shared<Shared>()) {
  shared_->work.emplace(io.executor);
  shared_->handler = std::move(handler);
  try {
    const SignalsBlocked blocked;
    std::thread([shared = shared_, lookup = std::move(lookup), host = std::move(host)] {
      shared->answer(lookup(host));
    }).detach();
  } catch (const std::system_error& error) {  // no thread left to have
    shared_->answer({{}, error.what()});
  }
}

PendingLookup::~PendingLookup() {
  Handler unused;  // destroyed after the lock is gone: it may own anything
  const std::scoped_lock lock(shared_->mutex);
  shared_->work.reset();
  std::swap(unused, shared_->handler);
}

}  // namespace skewguard::net
