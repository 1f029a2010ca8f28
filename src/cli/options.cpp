#include "cli/options.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace skewguard::cli {
namespace {

using settings::Flags;

struct SettingFlag {
  const char* names;
  const char* value;
  std::optional<std::string> Flags::* member;
  const char* help;
};

constexpr std::array<SettingFlag, 22> kSettingFlags{{
    {"--region", "REGION", &Flags::region,
     "a domain (mypurecloud.ie) or an AWS name (eu-west-1) [GENESYS_CLOUD_REGION, "
     "GENESYSCLOUD_REGION]"},
    {"--client-id", "ID", &Flags::client_id,
     "OAuth client [GENESYS_CLOUD_CLIENT_ID, GENESYSCLOUD_OAUTHCLIENT_ID]"},
    {"--client-secret-file", "FILE", &Flags::client_secret_file,
     "the client secret's file; - = standard input [GENESYS_CLOUD_CLIENT_SECRET, "
     "GENESYSCLOUD_OAUTHCLIENT_SECRET: the secret itself; then GENESYS_CLOUD_CLIENT_SECRET_FILE; "
     "then genesys_cloud_client_secret in $CREDENTIALS_DIRECTORY]"},
    {"--client-auth", "HOW", &Flags::client_auth,
     "how to send id and secret to the login host: basic (default), post (in the form) or none "
     "(only the id) [SKEWGUARD_CLIENT_AUTH]"},
    {"--access-token-file", "FILE", &Flags::access_token_file,
     "the file of a token obtained elsewhere, used instead of a client; it cannot be refreshed "
     "[GENESYS_CLOUD_ACCESS_TOKEN, GENESYSCLOUD_ACCESS_TOKEN: the token itself]"},
    {"--login-url", "URL", &Flags::login_url,
     "login base URL; default https://login.<domain> [SKEWGUARD_LOGIN_URL]"},
    {"--api-url", "URL", &Flags::api_url,
     "API base URL; default https://api.<domain> [SKEWGUARD_API_URL]"},
    {"--token-path", "PATH", &Flags::token_path,
     "on the login URL; default /oauth/token [SKEWGUARD_TOKEN_PATH]"},
    {"--ca-file", "FILE", &Flags::ca_file, "CA bundle, PEM; default the system's [SSL_CERT_FILE]"},
    {"--client-cert", "FILE", &Flags::client_cert,
     "certificate chain, PEM, for servers that request one (mTLS); with --client-key"},
    {"--client-key", "FILE", &Flags::client_key, "its private key, PEM, not encrypted"},
    {"--proxy", "URL", &Flags::proxy,
     "http://[USER:PASSWORD@]HOST:PORT, used to tunnel to both hosts; \"\" = none [https_proxy, "
     "HTTPS_PROXY: only for https:// URLs]"},
    {"--no-proxy", "HOSTS", &Flags::no_proxy,
     "hosts to reach without the proxy: names and all names below them, addresses, blocks "
     "(10.0.0.0/8), * [no_proxy, "
     "NO_PROXY]"},
    {"--timeout", "DURATION", &Flags::timeout,
     "deadline of the whole call; default 30s [SKEWGUARD_TIMEOUT]"},
    {"--max-wait", "DURATION", &Flags::max_wait,
     "longest wait for a token that is not valid yet; default 15s [SKEWGUARD_MAX_WAIT]"},
    {"--attempts", "N", &Flags::attempts,
     "most tokens that one call may have refused; waiting for a token and sending it again does "
     "not "
     "count; default 3 [SKEWGUARD_ATTEMPTS]"},
    {"--staleness", "DURATION", &Flags::staleness,
     "how late a server's Date may be; default 1s [SKEWGUARD_STALENESS]"},
    {"--token-store", "STORE", &Flags::token_store,
     "where tokens are kept between runs: none, file (default: under $XDG_RUNTIME_DIR/skewguard, "
     "otherwise $XDG_STATE_HOME/skewguard) or file:DIR [SKEWGUARD_TOKEN_STORE]"},
    {"--alert-command", "CMD", &Flags::alert_command,
     "run by sh for each rejection that a clock caused or that could not be cured, with the call "
     "report on its standard input; never delays a call [SKEWGUARD_ALERT_COMMAND]"},
    {"--dialect", "NAME", &Flags::dialect,
     "wording of token requests and errors: genesys (default) or rfc6749 [SKEWGUARD_DIALECT]"},
    {"--max-skew", "DURATION", &Flags::max_skew,
     "skew that counts as harmful in skew and doctor: a clock is certainly further off, or login "
     "and API host from each other; default 5s [SKEWGUARD_MAX_SKEW]"},
    {"--config", "FILE", &Flags::config,
     "profile file, TOML; default $XDG_CONFIG_HOME/skewguard/config.toml [SKEWGUARD_CONFIG]"},
}};

/// The settings that nearly everybody uses; the help of each command shows them.
constexpr std::array<std::string_view, 6> kCommonSettings{
    "--region",  "--client-id", "--client-secret-file", "--access-token-file",
    "--timeout", "--profile"};

const char* group_of(std::string_view name) {
  if (name == "--max-skew" || name == "--staleness") return kClockGroup;
  return std::ranges::find(kCommonSettings, name) == kCommonSettings.end() ? kSettingGroup
                                                                           : kCommonGroup;
}

/// One value, the last one given, as typed.
CLI::Option* add_text(CLI::App& app, const std::string& names, const char* value,
                      std::optional<std::string>& into, const std::string& help) {
  return app
      .add_option(
          names,
          [&into](const CLI::results_t& results) {
            into = results.back();
            return true;
          },
          help)
      ->type_name(value)
      ->take_last()
      ->group(kOptionGroup);
}

/// Any number of values, one per occurrence of the option.
CLI::Option* add_texts(CLI::App& app, const std::string& names, const char* value,
                       std::vector<std::string>& into, const std::string& help) {
  return app.add_option(names, into, help)
      ->type_name(value)
      ->allow_extra_args(false)
      ->group(kOptionGroup);
}

CLI::Option* add_report(CLI::App& app, std::string& into) {
  return app
      .add_option("--report", into, "write the call report (JSON) to FILE; - = standard error")
      ->type_name("FILE")
      ->take_last()
      ->group(kOptionGroup);
}

CLI::App* add_command(CLI::App& app, const char* name, const char* what) {
  return app.add_subcommand(name, what);
}

}  // namespace

Grammar::Grammar() {
  // parse_command_line() words the errors, with the nearest known word.
  app.allow_extras();
  app.fallthrough();
  app.require_subcommand(0, 1);
  app.set_help_flag("-h,--help", "show this help and exit")->group(kOptionGroup);
  app.set_version_flag("--version", "", "print the version and exit")->group(kOptionGroup);
  add_settings();
  add_logging();
  add_call();
  add_whoami();
  add_token();
  add_doctor();
  add_skew();
  add_serve();
  add_emulate();
  add_demo();
  add_command(app, "version", "print the version");
  add_command(app, "help", "explain a command or a topic")
      ->add_option("TOPIC", topic,
                   "a command, or one of settings, exit-codes, verdicts, emulate; none = the whole "
                   "program")
      ->type_name("");
}

void Grammar::add_settings() {
  for (const SettingFlag& flag : kSettingFlags) {
    add_text(app, flag.names, flag.value, flags.*flag.member, flag.help)
        ->group(group_of(flag.names));
  }
  add_text(app, "--profile", "NAME", flags.profile,
           "which [profile.NAME] of the profile file; default \"default\" [SKEWGUARD_PROFILE]")
      ->group(kCommonGroup);
  add_texts(app, "--token-param", "K=V", flags.token_params,
            "an additional form field of the token request (resource=urn:api), or another "
            "grant_type; repeatable")
      ->group(kSettingGroup);
  add_texts(app, "--ntp", "HOST[:PORT]", flags.ntp,
            "NTP server to ask if a clock is in doubt; repeatable; none = ask nobody; default: "
            "those of this machine's time service, otherwise pool.ntp.org [SKEWGUARD_NTP]")
      ->group(kClockGroup);
  app.add_flag("--insecure-http", flags.insecure_http,
               "allow http:// URLs for addresses other than loopback")
      ->group(kSettingGroup);
}

void Grammar::add_logging() {
  app.add_flag_function(
         "-v,--verbose", [this](std::int64_t count) { flags.verbose = static_cast<int>(count); },
         "log tokens, retries and waits; twice: also connections, requests and clocks; three "
         "times: also header fields [SKEWGUARD_LOG=info|debug|trace; warn is the default]")
      ->group(kLoggingGroup);
  app.add_flag("-q,--quiet", flags.quiet, "log only why the command failed")->group(kLoggingGroup);
  add_text(app, "--log-format", "text|json", flags.log_format,
           "format of the lines on standard error; default text, without color if NO_COLOR is set")
      ->group(kLoggingGroup);
}

void Grammar::add_call() {
  auto& command = *add_command(app, "call", "make one API request with a managed token");
  command.add_option("METHOD", call.method, "GET, HEAD, POST, PUT, PATCH or DELETE; any case")
      ->type_name("")
      ->required();
  command
      .add_option("PATH", call.path,
                  "below the API base URL, as in /api/v2/users?pageSize=1; or a full URL below it")
      ->type_name("")
      ->required();
  add_text(command, "-d,--data", "DATA", call.data,
           "request body: the text itself, @FILE, or - = standard input; sent as application/json "
           "unless -H says otherwise");
  add_texts(command, "-H,--header", "'NAME: VALUE'", call.headers,
            "an additional request header; repeatable");
  command.add_flag("-i,--include", call.include, "also print the answer's status and headers")
      ->group(kOptionGroup);
  add_report(command, call.report);
}

void Grammar::add_whoami() {
  auto& command = *add_command(app, "whoami", "say who the token belongs to");
  command.add_flag("--json", whoami.json, "print JSON (skewguard.whoami/1)")->group(kOptionGroup);
  add_report(command, whoami.report);
}

void Grammar::add_token() {
  auto& command = *add_command(app, "token", "print an access token that the API accepts now");
  command.add_option("--format", token.format, "default raw")
      ->type_name("raw|header|json")
      ->take_last()
      ->group(kOptionGroup);
  command.add_flag("--force-refresh", token.force_refresh, "always request a new one")
      ->group(kOptionGroup);
  add_text(command, "--min-life", "DURATION", token.min_life,
           "refresh if less is left; fail if a new one has less");
  command
      .add_flag(
          "--no-verify", token.no_verify,
          "print it at once; otherwise a token that the API never accepted is sent there first")
      ->group(kOptionGroup);
  add_text(command, "--verify-path", "PATH", flags.verify_path,
           "the path to send it to, with GET; default HEAD /api/v2/tokens/me; no default with the "
           "dialect rfc6749");
}

void Grammar::add_doctor() {
  auto& command =
      *add_command(app, "doctor", "find out what is wrong: clocks, network, credentials");
  command.add_flag("--json", doctor.json, "print JSON (skewguard.doctor/1)")->group(kOptionGroup);
}

void Grammar::add_skew() {
  auto& command = *add_command(app, "skew", "measure servers' clocks by the Date of their answers");
  command
      .add_option(
          "URL", skew.urls,
          "the servers to measure; none = login and API host. Uses HEAD, without credentials")
      ->type_name("");
  add_text(command, "--probes", "N", skew.probes,
           "requests to each server, 1 to 1000; default 16, in 6 s");
  command
      .add_flag("--watch", skew.watch,
                "keep measuring until Ctrl-C, then sum up; the exit code says what was found")
      ->group(kOptionGroup);
  command.add_flag("--json", skew.json, "print JSON (skewguard.skew/1)")->group(kOptionGroup);
}

void Grammar::add_serve() {
  auto& command = *add_command(
      app, "serve", "serve programs in any language that then need no credentials: the sidecar");
  ServeArguments& to = serve;
  add_texts(command, "--listen", "ADDR:PORT|unix:PATH", to.listen,
            "where programs connect; port 0 = any free port; repeatable; default 127.0.0.1:8484");
  add_text(command, "--workers", "N", to.workers, "threads; default 2, or 1 on one core");
  add_text(command, "--local-secret-file", "FILE", to.local_secret_file,
           "a secret that programs must show, as client secret of their login or as bearer token; "
           "without it, every program on this machine that can connect is served");
  add_texts(command, "--allow", "'METHOD PATH'", to.allow,
            "forward only such requests, as in 'GET /api/v2/users/*'; repeatable");
  add_texts(command, "--require-header", "NAME", to.required_fields,
            "forward only requests that have this field, which web pages cannot add; repeatable");
  add_texts(command, "--allow-host", "NAME", to.allow_hosts,
            "serve requests to this name, besides localhost and the addresses listened on; "
            "repeatable");
  add_texts(command, "--allow-origin", "ORIGIN", to.allow_origins,
            "serve web pages of this origin; default: none are served; repeatable");
  command
      .add_flag("--allow-remote", to.allow_remote,
                "listen on addresses that other machines can reach; needs a local secret")
      ->group(kOptionGroup);
  add_text(command, "--max-hold", "DURATION", to.max_hold,
           "longest time that a request waits for a token, before it is answered with 503; default "
           "12s");
  add_text(command, "--max-replay-body", "SIZE", to.max_replay_body,
           "largest request body that is kept, so that the request can be sent again with another "
           "token: 65536, 64KiB, 1MiB; larger ones are sent once; default 1MiB, at most 64MiB");
  add_text(command, "--max-waiting", "N", to.max_waiting,
           "most requests that wait for a token at once; default 1024");
  add_text(command, "--drain", "DURATION", to.drain,
           "longest time from SIGTERM to the end, for requests under way; default 25s");
  add_text(command, "--access-log", "FILE", to.access_log,
           "one line for each request, JSON with --log-format json; - = standard output "
           "(default), none");
  command
      .add_option(
          "--check",
          [&to](const CLI::results_t& results) {
            to.check = results.empty() ? "" : results.back();
            return true;
          },
          "serve nothing: ask the sidecar at URL (default: --listen) whether it is ready, and exit "
          "with 0 or 1")
      ->type_name("[URL]")
      ->expected(0, 1)
      ->take_last()
      ->group(kOptionGroup);
}

void Grammar::add_emulate() {
  auto& command =
      *add_command(app, "emulate", "run a small Genesys Cloud whose clocks can be wrong");
  EmulateArguments& to = emulate;
  add_text(command, "--login-offset", "DURATION", to.login_offset,
           "login host's clock minus true time; positive = it is ahead");
  add_text(command, "--api-offset", "DURATION", to.api_offset, "API host's clock minus true time");
  add_texts(command, "--api-backend", "DURATION", to.api_backends,
            "one more clock behind the API port, at this offset plus --api-offset; repeatable");
  add_text(command, "--backend-choice", "request|connection", to.backend_choice,
           "when to switch to the next backend; default request");
  add_text(command, "--login-drift", "PPM", to.login_drift,
           "how fast the login host's clock runs, in parts per million; negative = slow");
  add_text(command, "--api-drift", "PPM", to.api_drift, "the same for the API host's");
  add_text(command, "--token", "opaque|jwt", to.token, "format of the tokens; default opaque");
  add_text(command, "--lifetime", "DURATION", to.lifetime, "lifetime of the tokens; default 24h");
  add_text(command, "--nbf-offset", "DURATION", to.nbf_offset,
           "nbf of the tokens minus iat; negative = earlier");
  command
      .add_flag("--strict-nbf", to.strict_nbf,
                "the API host refuses tokens before their nbf by its clock")
      ->group(kOptionGroup);
  command.add_flag("--strict-iat", to.strict_iat, "the same for iat")->group(kOptionGroup);
  add_texts(command, "--client", "ID:SECRET", to.clients,
            "repeatable, also for several secrets of one id; default demo:demo-secret");
  add_text(command, "--user", "NAME", to.user, "gives the clients' tokens a user");
  add_text(command, "--latency", "DURATION", to.latency,
           "of a round trip, half each way; or UP/DOWN, as in 15ms/5ms");
  add_text(command, "--scenario", "FILE", to.scenario,
           "its servers and what happens to them over time (TOML); flags override it");
  command.add_flag("--tls", to.tls, "serve https, with a CA created at startup")
      ->group(kOptionGroup);
  add_text(command, "--ca-file", "FILE", to.ca_file,
           "where to write that CA; default a temporary file");
  add_text(command, "--listen", "ADDRESS", to.listen, "default 127.0.0.1");
  add_text(command, "--export", "sh|fish", to.shell,
           "print shell commands that point skewguard at it, for `source`");
  add_text(command, "--login-port", "PORT", to.login_port, "default: any free port");
  add_text(command, "--api-port", "PORT", to.api_port, "default: any free port");
}

void Grammar::add_demo() {
  auto& command =
      *add_command(app, "demo", "show what wrong clocks do to a naive client and to skewguard");
  command
      .add_option("SCENARIO", demo.scenario,
                  "play one, line by line: C3, or the path of a scenario file; none = all")
      ->type_name("");
  command.add_flag("--json", demo.json, "print JSON (skewguard.demo/1)")->group(kOptionGroup);
}

bool is_setting(const CLI::Option& option) {
  const std::string& group = option.get_group();
  return group == kSettingGroup || group == kCommonGroup || group == kClockGroup;
}

bool measures_clocks(const CLI::App& command) {
  return command.get_name() == "skew" || command.get_name() == "doctor";
}

bool takes_settings(const CLI::App& command) {
  const std::string& name = command.get_name();
  return name == "call" || name == "whoami" || name == "token" || name == "serve" ||
         measures_clocks(command);
}

}  // namespace skewguard::cli
