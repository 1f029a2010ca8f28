// A client from the environment, the profile file and the files that they name.
#include <functional>
#include <utility>
#include <vector>

#include "runtime/alerts.hpp"
#include "runtime/client_errors.hpp"
#include "runtime/client_impl.hpp"
#include "runtime/secret_file.hpp"
#include "runtime/stores.hpp"
#include "settings/settings.hpp"

namespace skewguard {
namespace {

Result<settings::Settings> load(const Client::Settings& given) {
  settings::Flags flags;
  flags.given = given;
  return settings::load(flags, settings::process_surroundings(), settings::Need::identity);
}

/// Reads the secrets again.
std::function<Result<std::vector<Secret>>()> secrets_of(Client::Settings given) {
  return [given = std::move(given)]() -> Result<std::vector<Secret>> {
    auto settings = load(given);
    if (!settings) return std::move(settings).error();
    return std::move(settings->client.client_secrets);
  };
}

}  // namespace

Result<Client> Client::from_environment(
    Hooks hooks, const std::function<Dependencies(const ClientOptions& options)>& own) {
  return from_settings({}, std::move(hooks), own);
}

Result<Client> Client::from_settings(
    Settings given, Hooks hooks,
    const std::function<Dependencies(const ClientOptions& options)>& own) {
  return runtime::without_exceptions([&]() -> Result<Client> {
    auto settings = load(given);
    if (!settings) return settings.error();
    Dependencies dependencies = own ? own(settings->client) : Dependencies{};
    if (!dependencies.store) {
      auto store =
          runtime::make_store(settings->token_store, settings::process_surroundings().environment);
      if (!store) return std::move(store).error();
      dependencies.store = *std::move(store);
    }
    auto secrets = secrets_of(std::move(given));
    for (const std::string& warning : settings->warnings)
      if (hooks.log) hooks.log({LogLevel::warn, warning});
    if (!settings->client_secret_file.empty() && !dependencies.fresh_secrets) {
      dependencies.fresh_secrets =
          [file = runtime::SecretFile(settings->client_secret_file, secrets)]() mutable {
            return file.look();
          };
    }
    if (!settings->alert_command.empty()) {
      hooks.on_resolved = [alert = runtime::alerts_to(settings->alert_command),
                           own = std::move(hooks.on_resolved)](const CallReport& report) {
        alert(report);
        if (own) own(report);
      };
    }
    auto client = make(std::move(settings->client), std::move(hooks), std::move(dependencies));
    if (client) client->impl_->reread_by(std::move(secrets));
    return client;
  });
}

}  // namespace skewguard
