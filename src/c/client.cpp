#include "c/client.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "c/answer.hpp"
#include "c/error.hpp"
#include "system/system_clocks.hpp"

namespace skewguard::c {
namespace {

Result<Client::Settings> settings_of(const char* const* keys, const char* const* values,
                                     std::size_t count) {
  if (count > 0 && (keys == nullptr || values == nullptr))
    return wrong_argument("there is a number of settings, but no settings");
  Client::Settings settings;
  for (std::size_t i = 0; i < count; ++i) {
    if (keys[i] == nullptr || values[i] == nullptr) {
      return wrong_argument("the name or the value of setting " + std::to_string(i) + " is NULL",
                            "leave it out");
    }
    settings.emplace_back(keys[i], Secret(values[i]));
  }
  return settings;
}

std::unique_ptr<skewguard_client> make_client(Client::Settings settings, skewguard_error** error) {
  auto clock = std::make_shared<system::SystemClocks>();
  const EventQueue events({.rejections = false, .resolved = false, .level = LogLevel::warn});
  auto client = Client::from_settings(std::move(settings), events.hooks(), [&](const auto&) {
    Dependencies dependencies;
    dependencies.clock = clock;
    return dependencies;
  });
  if (client) return std::make_unique<skewguard_client>(*std::move(client), clock, events);
  report_error(error, std::move(client).error());
  return nullptr;
}

}  // namespace
}  // namespace skewguard::c

using skewguard::Lease;
using skewguard::Observed;

const char* skewguard_version(void) {
  return SKEWGUARD_VERSION;
}

int32_t skewguard_abi(void) {
  return 1;
}

skewguard_client* skewguard_client_new(const char* const* keys, const char* const* values,
                                       size_t count, skewguard_error** error) {
  return skewguard::c::without_exceptions(error, nullptr, [&]() -> skewguard_client* {
    auto settings = skewguard::c::settings_of(keys, values, count);
    if (settings) return skewguard::c::make_client(*std::move(settings), error).release();
    skewguard::c::report_error(error, std::move(settings).error());
    return nullptr;
  });
}

int32_t skewguard_client_reload(skewguard_client* client, skewguard_error** error) {
  return skewguard::c::without_exceptions(error, SKEWGUARD_UNAVAILABLE, [&]() -> int32_t {
    if (client == nullptr)
      return skewguard::c::report_error(error, skewguard::c::wrong_argument("there is no client"));
    const auto reloaded = client->client.reload();
    return reloaded ? 0 : skewguard::c::report_error(error, reloaded.error());
  });
}

const char* skewguard_client_api_url(const skewguard_client* client) {
  return client == nullptr ? "" : client->client.options().api_url.c_str();
}

void skewguard_client_free(skewguard_client* client) {
  std::unique_ptr<skewguard_client> owner(client);
  if (!owner) return;
  const auto told = owner->listening();
  owner.reset();
  told.withdraw();  // only now will nothing more be pushed
}

void skewguard_read_clocks(skewguard_moment* now) {
  if (now != nullptr) skewguard::c::write_moment(skewguard::system::SystemClocks().now(), *now);
}

size_t skewguard_lease(skewguard_client* client, char* buffer, size_t size, uint64_t* generation) {
  const Lease* lease =
      client == nullptr ? nullptr : client->client.lease(client->clock->boot_now());
  if (generation != nullptr) *generation = lease == nullptr ? 0 : lease->generation;
  const std::size_t length = lease == nullptr ? 0 : lease->authorization.size();
  if (buffer == nullptr || size == 0) return length;
  const std::size_t copied = length < size ? length : 0;
  if (copied > 0) std::memcpy(buffer, lease->authorization.data(), copied);
  buffer[copied] = '\0';
  return length;
}

int32_t skewguard_observe(skewguard_client* client, uint64_t generation,
                          const skewguard_answer* answer) {
  if (client == nullptr || skewguard::c::check_answer(answer)) return SKEWGUARD_NOTED;
  try {
    const auto head = skewguard::c::observed_head_of(*answer, client->clock->now());
    return client->client.observe(generation, head) == Observed::judge ? SKEWGUARD_JUDGE
                                                                       : SKEWGUARD_NOTED;
  } catch (...) {  // no memory: the next answer says the same
    return SKEWGUARD_NOTED;
  }
}
