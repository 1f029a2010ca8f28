#include <memory>
#include <string>
#include <utility>

#include "base/strings.hpp"
#include "cli/commands.hpp"
#include "cli/conclude.hpp"
#include "cli/flag_values.hpp"
#include "proxy/check.hpp"
#include "proxy/server.hpp"
#include "runtime/secret_file.hpp"
#include "runtime/stores.hpp"

namespace skewguard::cli {
namespace {

constexpr std::string_view kDefaultAddress = "127.0.0.1:8484";

Result<Secret> local_secret_of(const std::string& file, const Session& session) {
  auto content = session.process.surroundings.read_file(file);
  if (!content) return std::move(content).error();
  std::string_view text = content->view();
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  constexpr std::size_t kLeast = 16;
  const bool usable = text.size() >= kLeast && text.find_first_of(" \t\r\n") == text.npos;
  if (usable) return Secret(text);
  return usage_error("--local-secret-file " + file + " does not hold a usable secret",
                     "write at least 16 characters without spaces: openssl rand -hex 32 > FILE");
}

Result<std::vector<proxy::ListenAddress>> addresses_of(const std::vector<std::string>& texts) {
  std::vector<proxy::ListenAddress> addresses;
  for (const std::string& text : texts) {
    auto address = proxy::parse_listen_address(trim(text));
    if (!address) return std::move(address).error();
    addresses.push_back(*std::move(address));
  }
  if (addresses.empty()) addresses.push_back(*proxy::parse_listen_address(kDefaultAddress));
  return addresses;
}

Result<proxy::ServeOptions> options_of(const ServeArguments& arguments, const Session& session) {
  proxy::ServeOptions options;
  auto addresses = addresses_of(arguments.listen);
  if (!addresses) return std::move(addresses).error();
  options.listen = *std::move(addresses);
  if (auto error = read_duration("--max-hold", arguments.max_hold, options.max_hold)) {
    return *std::move(error);
  }
  if (auto error = read_number("--max-waiting", arguments.max_waiting, options.max_waiting)) {
    return *std::move(error);
  }
  if (auto error = read_duration("--drain", arguments.drain, options.drain)) {
    return *std::move(error);
  }
  if (!arguments.local_secret_file) return options;
  auto secret = local_secret_of(*arguments.local_secret_file, session);
  if (!secret) return std::move(secret).error();
  options.local_secret = *std::move(secret);
  return options;
}

/// Where the lines of the access log go; an empty writer: nowhere.
Result<proxy::AccessLog::Writer> access_log_of(const ServeArguments& arguments,
                                               const Session& session) {
  const std::string file = arguments.access_log.value_or(session.quiet ? "none" : "-");
  if (file == "none") return proxy::AccessLog::Writer();
  auto writer =
      file == "-" ? Result<Writer>(session.process.out) : session.process.append_to_file(file);
  if (!writer) return std::move(writer).error();
  // A log whose reader is gone, or whose disk is full, stops nobody.
  return proxy::AccessLog::Writer(
      [writer = *std::move(writer)](std::string_view line) { static_cast<void>(writer(line)); });
}

/// Tokens are kept nowhere unless the settings say so.
Result<Dependencies> dependencies_of(const Session& session) {
  Dependencies dependencies;
  dependencies.clock = session.process.clock;
  auto store = runtime::make_store(session.token_store, session.process.surroundings.environment);
  if (!store) return std::move(store).error();
  dependencies.store = *std::move(store);
  if (session.reread_secrets) {
    dependencies.fresh_secrets =
        [file = runtime::SecretFile(session.client_secret_file, session.reread_secrets)]() mutable {
          return file.look();
        };
  }
  return dependencies;
}

int check(const ServeArguments& arguments, Session& session) {
  constexpr std::string_view kScheme = "http://";
  std::string text = *arguments.check;
  while (text.ends_with('/')) text.pop_back();
  if (text.starts_with(kScheme)) text.erase(0, kScheme.size());
  const auto addresses = addresses_of(text.empty() ? arguments.listen : std::vector{text});
  if (!addresses) return fail(addresses.error(), session);
  const auto ready = proxy::check_ready(addresses->front());
  return ready ? 0 : fail(ready.error(), session);
}

}  // namespace

int run_serve(const ServeArguments& arguments, Session& session) {
  if (arguments.check) return check(arguments, session);
  auto options = options_of(arguments, session);
  if (!options) return fail(options.error(), session);
  auto writer = access_log_of(arguments, session);
  if (!writer) return fail(writer.error(), session);
  auto dependencies = dependencies_of(session);
  if (!dependencies) return fail(dependencies.error(), session);
  using Format = proxy::AccessLog::Format;
  proxy::AccessLog log(*std::move(writer), session.log_json ? Format::json : Format::text);
  Hooks hooks = session.logger.hooks();
  hooks.on_resolved = [&session](const CallReport& report) { alert(report, session); };
  const auto server = proxy::Server::start(*std::move(options), session.release_options(),
                                           std::move(hooks), *std::move(dependencies), log);
  if (!server) return fail(server.error(), session);
  std::string text;
  for (const auto& address : (*server)->addresses()) {
    text.append("listening on ").append(address.text()).append("\n");
  }
  if (!print(text, session)) return 1;
  (*server)->run();
  return 0;
}

}  // namespace skewguard::cli
