#include "emulator/hosted.hpp"

#include <pthread.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <thread>
#include <utility>

namespace skewguard::emulator {

namespace asio = boost::asio;

namespace {

/// What throws (no memory, say) ends its own exchange; the hosts go on.
void run(asio::io_context& io) noexcept {
  while (true) {
    try {
      io.run();
      return;
    } catch (...) {
      continue;
    }
  }
}

}  // namespace

struct Hosted::Impl {
  Impl(CloudOptions options, ClockSource& clock_source, std::uint64_t seed)
      : clocks(clock_source), cloud(std::move(options), clock_source.now(), seed) {}
  ClockSource& clocks;
  CloudEmulator cloud;
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  std::unique_ptr<Server> server;
  std::thread thread;
};

Result<std::unique_ptr<Hosted>> Hosted::start(const Options& options, ClockSource& clocks,
                                              std::uint64_t seed) {
  auto cloud = cloud_options(options);
  if (!cloud) return cloud.error();
  auto impl = std::make_unique<Impl>(*std::move(cloud), clocks, seed);
  auto server = Server::start(impl->io, clocks, impl->cloud, options.listen);
  if (!server) return server.error();
  impl->server = *std::move(server);
  impl->thread = std::thread([&io = impl->io] { run(io); });
  pthread_setname_np(impl->thread.native_handle(), "emulator");
  return std::make_unique<Hosted>(std::move(impl));
}

Hosted::Hosted(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Hosted::~Hosted() {
  asio::post(impl_->io, [impl = impl_.get()] {
    impl->server->stop();
    impl->work.reset();
  });
  impl_->thread.join();
}

const std::string& Hosted::login_url() const noexcept {
  return impl_->server->login_url();
}
const std::string& Hosted::api_url() const noexcept {
  return impl_->server->api_url();
}
const std::string& Hosted::ca_file() const noexcept {
  return impl_->server->ca_file();
}

void Hosted::with(const std::function<void(CloudEmulator&, const Now&)>& what) {
  std::packaged_task<void()> task([&] { what(impl_->cloud, impl_->clocks.now()); });
  auto done = task.get_future();
  asio::post(impl_->io, [&task] { task(); });
  done.get();
}

}  // namespace skewguard::emulator
