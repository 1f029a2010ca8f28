#pragma once

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/system_executor.hpp>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>

#include "skewguard/client.hpp"

/// The client for users of Boost.Asio: any completion token, cancellation, and the user's own
/// io_context as the loop. Needs Boost 1.81; all other headers need only the standard library. g++
/// 12 destroys objects twice that are created with braces within a co_await: create Request,
/// GuardOptions and senders as variables before it. make_client() and client_from_environment() are
/// only in the static library (skewguard::asio); the rest needs only libskewguard.so.
namespace skewguard {

/// Makes a client whose loop is this io_context: it starts no thread, and all its functions run on
/// the threads that run the context, one at a time. The context must outlive the client, and has
/// work as long as the client keeps a token fresh: destroy the client, or stop the context.
/// Blocking calls work only from other threads; from those that run the context they return the
/// error `config`. Error: `config`.
Result<Client> make_client(boost::asio::io_context& context, ClientOptions options,
                           Hooks hooks = {}, Dependencies dependencies = {});

/// The same with the settings of Client::from_environment(), including its token store, re-reading
/// of secrets, and alerts.
Result<Client> client_from_environment(boost::asio::io_context& context, Hooks hooks = {});

namespace detail {

/// One asynchronous call in progress, shared by three parties: the one that starts it, the one that
/// cancels it, and the loop that completes it.
template <typename Handler, typename T>
class Completion : public std::enable_shared_from_this<Completion<Handler, T>> {
 public:
  explicit Completion(Handler handler)
      : handler_(std::move(handler)),
        work_(boost::asio::prefer(
            boost::asio::get_associated_executor(handler_, boost::asio::system_executor()),
            boost::asio::execution::outstanding_work.tracked)) {}

  /// Call it before the call is started: a cancellation may come at once.
  void listen() {
    auto slot = boost::asio::get_associated_cancellation_slot(handler_);
    if (!slot.is_connected()) return;
    slot.assign([weak = this->weak_from_this()](boost::asio::cancellation_type) {
      if (const auto self = weak.lock()) self->cancel();
    });
  }
  void started(const Operation& operation) {
    bool cancelled = false;
    {
      const std::lock_guard lock(mutex_);
      operation_ = operation;
      started_ = true;
      cancelled = cancelled_;
    }
    if (cancelled) operation.cancel();
  }
  void cancel() {
    Operation operation;
    {
      const std::lock_guard lock(mutex_);
      cancelled_ = true;
      operation = operation_;
    }
    operation.cancel();
  }
  /// Runs on the client's loop, or within the call if no loop could be started. The handler runs on
  /// its own executor, never within the call.
  void complete(Result<T> result) {
    const auto executor = work_;
    auto run = [self = this->shared_from_this(), result = std::move(result)]() mutable {
      auto slot = boost::asio::get_associated_cancellation_slot(self->handler_);
      if (slot.is_connected()) slot.clear();
      Handler handler = std::move(self->handler_);
      if constexpr (std::is_same_v<Executor, boost::asio::system_executor>) {
        // It has no executor of its own on which an exception could propagate.
        try {
          std::move(handler)(std::move(result));
        } catch (...) {
          return;
        }
      } else {
        std::move(handler)(std::move(result));
      }
    };
    if (has_started()) return boost::asio::dispatch(executor, std::move(run));
    boost::asio::post(executor, std::move(run));
  }

 private:
  bool has_started() {
    const std::lock_guard lock(mutex_);
    return started_;
  }

  using Executor =
      typename boost::asio::associated_executor<Handler, boost::asio::system_executor>::type;
  using Work = std::decay_t<decltype(boost::asio::prefer(
      std::declval<Executor>(), boost::asio::execution::outstanding_work.tracked))>;

  Handler handler_;
  Work work_;  // keeps the handler's loop from running out of work
  std::mutex mutex_;
  bool started_ = false;
  bool cancelled_ = false;
  Operation operation_;
};

template <typename T, typename Handler, typename Start>
void launch(Handler handler, const Start& start) {
  auto completion = std::make_shared<Completion<Handler, T>>(std::move(handler));
  completion->listen();
  completion->started(
      start([completion](Result<T> result) { completion->complete(std::move(result)); }));
}

}  // namespace detail

/// Client::call() for a completion token with the signature void(Result<Response>). The handler
/// runs once, on its own executor, where its exceptions propagate; a handler without one runs on
/// the client's loop, and its exceptions are dropped. The executor's context must outlive the call.
/// Cancellation (of any type) ends the call with `cancelled`. `client` must live until the call has
/// been started, not until it ends.
template <typename CompletionToken>
auto async_call(Client& client, Request request, CompletionToken&& token) {
  return boost::asio::async_initiate<CompletionToken, void(Result<Response>)>(
      [&client](auto handler, Request what) {
        detail::launch<Response>(std::move(handler), [&](Client::ResponseHandler done) {
          return client.async_call(std::move(what), std::move(done));
        });
      },
      token, std::move(request));
}

/// Client::token() likewise, with the signature void(Result<BearerToken>).
template <typename CompletionToken>
auto async_token(Client& client, TokenRequestOptions options, CompletionToken&& token) {
  return boost::asio::async_initiate<CompletionToken, void(Result<BearerToken>)>(
      [&client](auto handler, TokenRequestOptions what) {
        detail::launch<BearerToken>(std::move(handler), [&](Client::TokenHandler done) {
          return client.async_token(what, std::move(done));
        });
      },
      token, options);
}

/// Client::guard() likewise, with the signature void(Result<Response>). Each call of `sender`, on
/// the client's loop, starts one send and calls the function that it is passed once.
template <typename CompletionToken>
auto async_guard(Client& client, Client::Sender sender, GuardOptions options,
                 CompletionToken&& token) {
  return boost::asio::async_initiate<CompletionToken, void(Result<Response>)>(
      [&client](auto handler, Client::Sender how, GuardOptions what) {
        detail::launch<Response>(std::move(handler), [&](Client::ResponseHandler done) {
          return client.async_guard(std::move(how), std::move(what), std::move(done));
        });
      },
      token, std::move(sender), std::move(options));
}

}  // namespace skewguard
