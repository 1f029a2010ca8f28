#include <boost/asio/strand.hpp>
#include <utility>

#include "runtime/io_executor.hpp"
#include "runtime/real_transport.hpp"
#include "runtime/referee.hpp"
#include "skewguard/asio.hpp"
#include "system/system_clocks.hpp"

namespace skewguard {

namespace {

/// `uses` with this context as the loop, and with defaults for everything left empty.
Dependencies on_context(boost::asio::io_context& context, const ClientOptions& options,
                        const Log& log, Dependencies uses) {
  if (!uses.clock) uses.clock = std::make_shared<system::SystemClocks>();
  auto strand = boost::asio::make_strand(context);
  // Any thread of the context that waits for the loop may be the one that the loop needs.
  uses.executor = std::make_shared<runtime::IoExecutor>(
      strand, uses.clock,
      [executor = context.get_executor()] { return executor.running_in_this_thread(); });
  if (uses.transport) return uses;
  if (!uses.referee) {
    uses.referee = [strand, options, clock = uses.clock](Executor&, Transport& transport) {
      return runtime::real_referee(options, *clock, transport, strand);
    };
  }
  uses.transport = [strand, options, clock = uses.clock, log](Executor&) {
    return runtime::real_transport(options, *clock, strand, log);
  };
  return uses;
}

}  // namespace

Result<Client> make_client(boost::asio::io_context& context, ClientOptions options, Hooks hooks,
                           Dependencies dependencies) {
  const Log log = Log::of(hooks);
  dependencies = on_context(context, options, log, std::move(dependencies));
  return Client::make(std::move(options), std::move(hooks), std::move(dependencies));
}

Result<Client> client_from_environment(boost::asio::io_context& context, Hooks hooks) {
  const Log log = Log::of(hooks);
  return Client::from_environment(std::move(hooks), [&](const ClientOptions& options) {
    return on_context(context, options, log, {});
  });
}

}  // namespace skewguard
