#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/strings.hpp"
#include "cli/commands.hpp"
#include "cli/conclude.hpp"
#include "cli/flag_values.hpp"
#include "http/url.hpp"
#include "proxy/check.hpp"
#include "proxy/server.hpp"
#include "relay/admission.hpp"
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

using MaybeError = std::optional<Error>;

/// "65536", "64KiB", "1MiB".
MaybeError read_size(const char* flag, const std::optional<std::string>& text, std::size_t& into) {
  constexpr std::size_t kKibi = 1024;
  constexpr std::size_t kMax = 64 * kKibi * kKibi;
  if (!text) return std::nullopt;
  std::string digits(trim(*text));
  std::size_t unit = 1;
  for (const auto& [name, bytes] : {std::pair{"KiB", kKibi}, std::pair{"MiB", kKibi * kKibi}}) {
    if (!digits.ends_with(name)) continue;
    digits.resize(digits.size() - std::string_view(name).size());
    unit = bytes;
  }
  std::size_t count = 0;
  if (read_number(flag, std::optional(digits), count) || count > kMax / unit) {
    return usage_error(std::string(flag) + " is not a size up to 64MiB", "write 64KiB or 1MiB");
  }
  into = count * unit;
  return std::nullopt;
}

MaybeError read_workers(const std::optional<std::string>& text, std::size_t& into) {
  constexpr std::size_t kMax = 64;
  into = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 2);
  if (auto error = read_number("--workers", text, into)) return error;
  if (into >= 1 && into <= kMax) return std::nullopt;
  return usage_error("--workers is not a number from 1 to 64", "leave it out: 2, or 1 on one core");
}

MaybeError read_limits(const ServeArguments& arguments, proxy::ServeOptions& options) {
  if (auto error = read_workers(arguments.workers, options.workers)) return error;
  if (auto error = read_duration("--max-hold", arguments.max_hold, options.max_hold)) return error;
  if (auto error = read_number("--max-waiting", arguments.max_waiting, options.max_waiting)) {
    return error;
  }
  if (auto error =
          read_size("--max-replay-body", arguments.max_replay_body, options.max_replay_body)) {
    return error;
  }
  return read_duration("--drain", arguments.drain, options.drain);
}

MaybeError read_admission(const ServeArguments& arguments, proxy::ServeOptions& options) {
  for (const std::string& text : arguments.allow) {
    auto rule = relay::parse_allow_rule(trim(text));
    if (!rule) {
      return usage_error("--allow '" + text + "' is not METHOD PATH",
                         "write 'GET /api/v2/users/*'; a * is only for the end");
    }
    options.admission.allow.push_back(*std::move(rule));
  }
  for (const std::string& name : arguments.required_fields) {
    if (!http::valid_token(name)) {
      return usage_error("--require-header is not the name of a header", "write X-My-Program");
    }
  }
  options.admission.required_fields = arguments.required_fields;
  options.admission.hosts = arguments.allow_hosts;
  options.admission.origins = arguments.allow_origins;
  for (const auto& address : options.listen) {
    if (address.unix_socket()) continue;
    const bool v6 = address.host.find(':') != std::string::npos;
    options.admission.hosts.push_back(v6 ? "[" + address.host + "]" : address.host);
  }
  return std::nullopt;
}

/// Other machines could use the credentials.
MaybeError refuse_remote(const ServeArguments& arguments, const proxy::ServeOptions& options) {
  const auto remote = std::ranges::find_if(options.listen, &proxy::ListenAddress::remote);
  if (remote == options.listen.end()) return std::nullopt;
  if (!arguments.allow_remote) {
    return usage_error("other machines could use the credentials at " + remote->text(),
                       "listen on 127.0.0.1 or [::1], or add --allow-remote");
  }
  if (!options.local_secret.empty()) return std::nullopt;
  return usage_error("--allow-remote needs a local secret", "add --local-secret-file FILE");
}

Result<proxy::ServeOptions> options_of(const ServeArguments& arguments, const Session& session) {
  proxy::ServeOptions options;
  auto addresses = addresses_of(arguments.listen);
  if (!addresses) return std::move(addresses).error();
  options.listen = *std::move(addresses);
  if (auto error = read_limits(arguments, options)) return *std::move(error);
  if (auto error = read_admission(arguments, options)) return *std::move(error);
  if (arguments.local_secret_file) {
    auto secret = local_secret_of(*arguments.local_secret_file, session);
    if (!secret) return std::move(secret).error();
    options.local_secret = *std::move(secret);
  }
  if (auto error = refuse_remote(arguments, options)) return *std::move(error);
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

/// What SIGHUP does: reads the files again, and continues the access log in a new one.
Result<proxy::Reloaded> reloaded(const ServeArguments& arguments, const Session& session) {
  proxy::Reloaded fresh;
  if (arguments.local_secret_file) {
    auto secret = local_secret_of(*arguments.local_secret_file, session);
    if (!secret) return std::move(secret).error();
    fresh.local_secret = *std::move(secret);
  }
  if (session.reread_secrets) {
    auto secrets = session.reread_secrets();
    if (!secrets) return std::move(secrets).error();
    fresh.client_secrets = *std::move(secrets);
  }
  auto writer = access_log_of(arguments, session);
  if (!writer) return std::move(writer).error();
  fresh.access_log = *std::move(writer);
  return fresh;
}

/// In the URL of a sidecar or of one of its pages: as --listen takes it.
std::string address_in(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  constexpr std::string_view kLocal = "localhost:";
  if (url.starts_with("unix:")) return std::string(url);
  if (url.starts_with(kScheme)) url.remove_prefix(kScheme.size());
  url = url.substr(0, url.find('/'));
  if (!url.starts_with(kLocal)) return std::string(url);
  return "127.0.0.1:" + std::string(url.substr(kLocal.size()));
}

int check(const ServeArguments& arguments, Session& session) {
  const std::string& url = *arguments.check;
  const auto addresses =
      addresses_of(url.empty() ? arguments.listen : std::vector{address_in(url)});
  if (!addresses) {
    return fail(url.empty() ? addresses.error()
                            : usage_error("--check " + url + " is not the URL of a sidecar",
                                          "write http://127.0.0.1:8484 or unix:PATH"),
                session);
  }
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
  (*server)->on_reload([&] { return reloaded(arguments, session); });
  std::string text;
  for (const auto& address : (*server)->addresses()) {
    text.append("listening on ").append(address.text()).append("\n");
  }
  if (!print(text, session)) return 1;
  (*server)->run();
  return 0;
}

}  // namespace skewguard::cli
