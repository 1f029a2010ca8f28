#include "skewguard/client.hpp"

#include <tuple>
#include <utility>

#include "runtime/check_options.hpp"
#include "runtime/client_errors.hpp"
#include "runtime/client_impl.hpp"

namespace skewguard {

using runtime::start_or_report;
using runtime::without_exceptions;

Result<Client> Client::make(ClientOptions options, Hooks hooks, Dependencies dependencies) {
  return without_exceptions([&]() -> Result<Client> {
    if (auto checked = runtime::check_options(options); !checked) return checked.error();
    if (dependencies.executor && !dependencies.transport) {
      return Error{ErrorKind::config, "the user's own loop needs a transport that runs on it",
                   "for Asio see make_client() in skewguard/asio.hpp"};
    }
    return Client(
        std::make_unique<Impl>(std::move(options), std::move(hooks), std::move(dependencies)));
  });
}

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Response> Client::call(Request request) {
  return without_exceptions([&] { return impl_->call(request); });
}
Result<Response> Client::get(std::string path) {
  Request request;
  request.path = std::move(path);
  return call(std::move(request));
}
Result<BearerToken> Client::token(TokenRequestOptions options) {
  return without_exceptions([&] { return impl_->token(options); });
}
Result<Response> Client::guard(const std::function<SendResult(const Bearer&)>& send,
                               GuardOptions options) {
  return without_exceptions([&] { return impl_->guard(send, options); });
}
Operation Client::async_call(Request request, ResponseHandler handler) {
  return start_or_report(handler, [&] { return impl_->async_call(request, handler); });
}
Operation Client::async_token(TokenRequestOptions options, TokenHandler handler) {
  return start_or_report(handler, [&] { return impl_->async_token(options, handler); });
}
Operation Client::async_guard(Sender sender, GuardOptions options, ResponseHandler handler) {
  return start_or_report(handler,
                         [&] { return impl_->async_guard(std::move(sender), options, handler); });
}
Result<void> Client::reload(std::vector<Secret> secrets) {
  return without_exceptions([&] { return impl_->reload(std::move(secrets)); });
}
Result<void> Client::reload() {
  return without_exceptions([&] { return impl_->reload(); });
}
const Lease* Client::lease(Instant now) noexcept {
  return impl_->lease(now);
}
LeaseReader Client::reader() const noexcept {
  return impl_->reader();
}
Observed Client::observe(std::uint64_t generation, const AnswerHead& head) noexcept {
  return impl_->observe(generation, head);
}
Result<std::uint64_t> Client::await_lease(std::uint64_t after, std::optional<Duration> timeout) {
  return without_exceptions([&] { return impl_->await_lease(after, timeout); });
}
Operation Client::async_await_lease(std::uint64_t after, std::optional<Duration> timeout,
                                    LeaseHandler handler) {
  return start_or_report(handler,
                         [&] { return impl_->async_await_lease(after, timeout, handler); });
}
Result<ClientStatus> Client::status() {
  return without_exceptions([&] { return impl_->status(); });
}
void Client::async_status(StatusHandler handler) {
  std::ignore = start_or_report(handler, [&] {
    impl_->async_status(handler);
    return Operation();
  });
}
Instant Client::now() const noexcept {
  return impl_->now();
}
Now Client::read_clocks() const noexcept {
  return impl_->read_clocks();
}
const ClientOptions& Client::options() const noexcept {
  return impl_->options();
}

}  // namespace skewguard
