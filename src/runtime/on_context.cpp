#include <boost/asio/strand.hpp>
#include <utility>

#include "host/system_clocks.hpp"
#include "runtime/io_executor.hpp"
#include "runtime/real_transport.hpp"
#include "runtime/referee.hpp"
#include "skewguard/asio.hpp"

namespace skewguard {

Result<Client> make_client(boost::asio::io_context& context, ClientOptions options, Hooks hooks,
                           Dependencies dependencies) {
  if (!dependencies.clock) dependencies.clock = std::make_shared<host::SystemClocks>();
  auto strand = boost::asio::make_strand(context);
  // Whichever of the context's threads waits for the loop may be the one that it needs.
  dependencies.executor = std::make_shared<runtime::IoExecutor>(
      strand, dependencies.clock,
      [executor = context.get_executor()] { return executor.running_in_this_thread(); });
  if (!dependencies.transport) {
    if (!dependencies.referee) {
      dependencies.referee = [strand, options, clock = dependencies.clock](Executor&,
                                                                           Transport& transport) {
        return runtime::real_referee(options, *clock, transport, strand);
      };
    }
    dependencies.transport = [strand, options, clock = dependencies.clock,
                              log = Log(hooks.log, hooks.log_level)](Executor&) {
      return runtime::real_transport(options, *clock, strand, log);
    };
  }
  return Client::make(std::move(options), std::move(hooks), std::move(dependencies));
}

}  // namespace skewguard
