#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands.hpp"
#include "cli/conclude.hpp"
#include "cli/flag_values.hpp"
#include "emulator/options.hpp"
#include "emulator/scenario.hpp"
#include "emulator/server.hpp"

namespace skewguard::cli {
namespace {

using MaybeError = std::optional<Error>;
using MaybeText = std::optional<std::string>;

/// Uses the emulator's own parser, which names the flag.
template <typename T>
MaybeError read_by(Result<T> (*reader)(std::string_view), const MaybeText& text, T& into) {
  if (!text) return std::nullopt;
  auto value = reader(*text);
  if (!value) return std::move(value).error();
  into = *std::move(value);
  return std::nullopt;
}

MaybeError read_clocks(const EmulateArguments& from, emulator::Options& to) {
  if (auto error = read_duration("--login-offset", from.login_offset, to.login_offset)) {
    return error;
  }
  if (auto error = read_duration("--api-offset", from.api_offset, to.api_offset)) return error;
  if (auto error = read_number("--login-drift", from.login_drift, to.login_drift_ppm)) return error;
  if (auto error = read_number("--api-drift", from.api_drift, to.api_drift_ppm)) return error;
  if (!from.api_backends.empty()) to.api_backends.clear();
  for (const std::string& text : from.api_backends) {
    if (auto error = read_duration("--api-backend", text, to.api_backends.emplace_back())) {
      return error;
    }
  }
  return read_by(emulator::parse_backend_choice, from.backend_choice, to.backend_choice);
}

MaybeError read_tokens(const EmulateArguments& from, emulator::Options& to) {
  if (auto error = read_by(emulator::parse_token_format, from.token, to.token)) return error;
  if (auto error = read_duration("--lifetime", from.lifetime, to.lifetime)) return error;
  if (auto error = read_duration("--nbf-offset", from.nbf_offset, to.nbf_offset)) return error;
  to.strict_nbf = to.strict_nbf || from.strict_nbf;
  to.strict_iat = to.strict_iat || from.strict_iat;
  to.user = from.user.value_or(to.user);
  for (const std::string& text : from.clients) {
    auto client = emulator::parse_client(text);
    if (!client) return std::move(client).error();
    to.clients.push_back(*std::move(client));
  }
  return std::nullopt;
}

MaybeError read_network(const EmulateArguments& from, emulator::Options& to) {
  if (from.ca_file && !from.tls) {
    return usage_error("--ca-file has no effect without --tls", "add --tls");
  }
  to.listen.tls = from.tls;
  to.listen.ca_file = from.ca_file.value_or("");
  to.listen.address = from.listen.value_or(to.listen.address);
  if (auto error = read_number("--login-port", from.login_port, to.listen.login_port)) return error;
  if (auto error = read_number("--api-port", from.api_port, to.listen.api_port)) return error;
  return read_by(emulator::parse_latency, from.latency, to.latency);
}

/// Flags override the scenario's [servers].
Result<emulator::Options> options_of(const EmulateArguments& arguments) {
  emulator::Options options;
  if (arguments.scenario) {
    auto scenario = emulator::load_scenario(*arguments.scenario);
    if (!scenario) return std::move(scenario).error();
    options = std::move(scenario->servers);
    options.events = std::move(scenario->events);
  }
  if (auto error = read_clocks(arguments, options)) return *std::move(error);
  if (auto error = read_tokens(arguments, options)) return *std::move(error);
  if (auto error = read_network(arguments, options)) return *std::move(error);
  return options;
}

/// `value` quoted as one word for a shell. Within single quotes, sh has no escapes; fish has those
/// of the quote and the backslash.
std::string quoted(std::string_view value, bool fish) {
  std::string text = "'";
  for (const char c : value) {
    if (c == '\'') {
      text += fish ? "\\'" : "'\\''";
    } else {
      text.append(fish && c == '\\' ? "\\\\" : std::string(1, c));
    }
  }
  return text + "'";
}

/// The environment of a client, as shell commands. Tokens of one emulator are useless for the next.
std::string exports(const emulator::Server& server, const emulator::Client& client, bool fish) {
  std::vector<std::pair<const char*, std::string>> variables{
      {"SKEWGUARD_LOGIN_URL", server.login_url()},
      {"SKEWGUARD_API_URL", server.api_url()},
      {"GENESYS_CLOUD_CLIENT_ID", client.id},
      {"GENESYS_CLOUD_CLIENT_SECRET", std::string(client.secrets.front().reveal())},
      {"SKEWGUARD_TOKEN_STORE", "none"}};
  if (!server.ca_file().empty()) variables.emplace_back("SSL_CERT_FILE", server.ca_file());
  std::string text;
  for (const auto& [name, value] : variables) {
    text += fish ? std::string("set -gx ") + name + " " : std::string("export ") + name + "=";
    text += quoted(value, fish) + "\n";
  }
  return text + "# ready\n";
}

std::string announcement(const emulator::Server& server) {
  std::string text = "login " + server.login_url() + "\napi " + server.api_url() + "\n";
  if (!server.ca_file().empty()) text.append("ca ").append(server.ca_file()).append("\n");
  return text.append("ready\n");
}

}  // namespace

int run_emulate(const EmulateArguments& arguments, Session& session) {
  auto options = options_of(arguments);
  if (!options) return fail(options.error(), session);
  if (arguments.shell && *arguments.shell != "sh" && *arguments.shell != "fish") {
    return fail(usage_error("--export names an unknown shell", "use sh (bash, zsh) or fish"),
                session);
  }
  auto settings = emulator::cloud_options(*options);
  if (!settings) return fail(settings.error(), session);

  const emulator::Client client = settings->clients.front();
  ClockSource& clock = *session.process.clock;
  emulator::CloudEmulator cloud(*std::move(settings), clock.now(), emulator::system_seed());
  boost::asio::io_context io{1};
  boost::asio::signal_set signals(io, SIGINT, SIGTERM);
  const auto server = emulator::Server::start(io, clock, cloud, options->listen);
  if (!server) return fail(server.error(), session);
  const auto stop = [&] {
    (*server)->stop();
    signals.cancel();
  };
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (!error) (*server)->stop();
  });
  (*server)->on_quit(stop);

  const std::string text = arguments.shell ? exports(**server, client, *arguments.shell == "fish")
                                           : announcement(**server);
  if (!print(text, session)) return 1;
  io.run();
  return 0;
}

}  // namespace skewguard::cli
