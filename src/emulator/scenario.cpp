#include "emulator/scenario.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "emulator/fields.hpp"
#include "emulator/limits.hpp"

namespace skewguard::emulator {
namespace {

using nlohmann::json;

constexpr Duration kMaxRun = std::chrono::hours{24 * 366};
constexpr std::uint64_t kMaxCalls = 1'000'000;
constexpr std::uint64_t kMaxCallers = 10'000;
constexpr std::size_t kMaxEvents = 1000;

/// TOML as JSON, so that one reader of fields serves both. A date is no value that anything here
/// takes: it becomes an empty object, which every reader refuses.
json json_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* flag = node.as_boolean()) return flag->get();
  if (const auto* number = node.as_floating_point()) return number->get();
  if (const auto* number = node.as_integer()) {
    if (number->get() >= 0) return static_cast<std::uint64_t>(number->get());
    return number->get();
  }
  if (const auto* array = node.as_array()) {
    auto out = json::array();
    for (const auto& element : *array) out.push_back(json_of(element));
    return out;
  }
  auto out = json::object();
  if (const auto* table = node.as_table())
    for (const auto& [key, value] : *table) out[std::string(key.str())] = json_of(value);
  return out;
}

/// The name in "field 'name': ...".
std::string field_of(std::string_view complaint) {
  constexpr std::string_view kBegin = "field '";
  if (!complaint.starts_with(kBegin)) return {};
  complaint.remove_prefix(kBegin.size());
  return std::string(complaint.substr(0, complaint.find('\'')));
}

/// One table of the file, read field by field.
struct Section {
  Section(const toml::table& the_table, const std::string& the_file)
      : table(the_table), file(the_file), fields(json_of(the_table), "") {}

  /// "FILE:LINE: field 'x': ...", the line of that field or of the table.
  [[nodiscard]] Error error(const std::string& complaint) const {
    const auto* node = table.get(field_of(complaint));
    const auto line = (node == nullptr ? table.source() : node->source()).begin.line;
    return {ErrorKind::config, file + ":" + std::to_string(line) + ": " + complaint,
            "see skewguard help emulate"};
  }
  [[nodiscard]] std::optional<Error> end() {
    const auto complaint = fields.complaint();
    return complaint ? std::optional(error(*complaint)) : std::nullopt;
  }

  const toml::table& table;
  const std::string& file;
  Fields fields;
};

/// A text by the reader of the flag of that name.
template <typename T>
void read_as_flag(Fields& fields, std::string_view name, Result<T> (*reader)(std::string_view),
                  T& into) {
  const auto text = fields.text(name);
  if (!text) return;
  auto value = reader(*text);
  if (!value) return fields.complain(name, value.error().message);
  into = *std::move(value);
}

std::vector<Duration> backends_of(Fields& fields) {
  std::vector<Duration> out;
  const auto value = fields.any("api_backends");
  if (!value) return out;
  for (const auto& one : value->is_array() ? *value : json::array({nullptr})) {
    if (const auto offset = duration_from(one)) {
      out.push_back(*offset);
    } else {
      fields.complain("api_backends", "must be an array of durations");
    }
  }
  return out;
}

std::optional<Error> read_servers(Section section, Options& to) {
  auto& fields = section.fields;
  const auto offset = [&fields](std::string_view name) {
    return fields.duration(name, -kMaxOffset, kMaxOffset).value_or(Duration::zero());
  };
  const auto drift = [&fields](std::string_view name) {
    return fields.number(name, -SkewedClock::kMaxDriftPpm, SkewedClock::kMaxDriftPpm).value_or(0);
  };
  to.login_offset = offset("login_offset");
  to.api_offset = offset("api_offset");
  to.login_drift_ppm = drift("login_drift");
  to.api_drift_ppm = drift("api_drift");
  to.api_backends = backends_of(fields);
  read_as_flag(fields, "backend_choice", parse_backend_choice, to.backend_choice);
  read_as_flag(fields, "token", parse_token_format, to.token);
  read_as_flag(fields, "latency", parse_latency, to.latency);
  to.lifetime = fields.duration("lifetime", kMinLifetime, kMaxLifetime).value_or(to.lifetime);
  to.nbf_offset = offset("nbf_offset");
  to.strict_nbf = fields.flag("strict_nbf").value_or(false);
  to.strict_iat = fields.flag("strict_iat").value_or(false);
  to.user = fields.text("user").value_or("");
  return section.end();
}

std::optional<Error> read_client(Section section, ScenarioClient& to) {
  auto& fields = section.fields;
  to.calls = fields.count("calls", kMaxCalls).value_or(to.calls);
  to.every = fields.duration("every", Duration::zero(), kMaxRun).value_or(to.every);
  to.wall_offset = fields.duration("wall_offset", -kMaxOffset, kMaxOffset).value_or(to.wall_offset);
  to.callers = static_cast<std::size_t>(fields.count("callers", kMaxCallers).value_or(to.callers));
  if (to.calls == 0) fields.complain("calls", "must not be 0");
  if (to.callers == 0) fields.complain("callers", "must not be 0");
  return section.end();
}

std::optional<Verdict> verdict_named(std::string_view name) {
  for (auto i = static_cast<int>(Verdict::ok); i <= static_cast<int>(Verdict::unknown); ++i)
    if (to_string(static_cast<Verdict>(i)) == name) return static_cast<Verdict>(i);
  return std::nullopt;
}

std::optional<Error> read_expect(Section section, ScenarioExpect& to) {
  auto& fields = section.fields;
  const auto names = fields.texts("verdicts");
  if (names) to.verdicts.emplace();
  for (const auto& name : names.value_or(std::vector<std::string>{})) {
    if (const auto verdict = verdict_named(name)) {
      to.verdicts->push_back(*verdict);
    } else {
      fields.complain("verdicts", "there is no verdict \"" + name + "\"");
    }
  }
  to.failures = fields.count("failures", kMaxCalls * kMaxCallers);
  to.most_token_requests = fields.count("most_token_requests", kMaxCalls * kMaxCallers);
  if (const auto code = fields.count("exit_code", 7)) to.exit_code = static_cast<int>(*code);
  return section.end();
}

std::optional<Error> read_local(Section& section, Duration at, std::vector<LocalEvent>& to) {
  auto& fields = section.fields;
  LocalEvent event{at};
  event.wall_step = fields.duration("wall_step", -kMaxOffset, kMaxOffset);
  event.suspend = fields.duration("suspend", Duration::zero(), kMaxRun);
  event.stand_still = fields.duration("stand_still", Duration::zero(), kMaxRun);
  const int things =
      (event.wall_step ? 1 : 0) + (event.suspend ? 1 : 0) + (event.stand_still ? 1 : 0);
  if (things != 1)
    fields.complain("order", "needs one of 'wall_step', 'suspend' and 'stand_still'");
  to.insert(std::ranges::upper_bound(to, at, {}, &LocalEvent::at), event);
  return section.end();
}

/// An event and where it stands in the file.
struct Placed {
  Event event;
  const toml::table* table;
};

/// Each in the order of their times, those of one time as they stand in the file.
struct Events {
  std::vector<Placed> servers;
  std::vector<LocalEvent> locals;
};

std::optional<Error> read_event(Section section, Events& to) {
  auto& fields = section.fields;
  const auto at = fields.duration("at", Duration::zero(), kMaxRun);
  const auto order = fields.text("order");
  if (!at) fields.complain("at", "is missing");
  if (!order) fields.complain("order", "is missing");
  if (order == "quit") fields.complain("order", "the run ends when its client does");
  if (order == "local") return read_local(section, at.value_or(Duration::zero()), to.locals);
  if (!at || !order || order == "quit") return section.end();
  auto body = json_of(section.table);
  body.erase("at");
  body.erase("order");
  const auto place =
      std::ranges::upper_bound(to.servers, *at, {}, [](const Placed& one) { return one.event.at; });
  to.servers.insert(place, {{*at, *order, body.dump()}, &section.table});
  return std::nullopt;
}

/// Tries them on an unused emulator, so that errors are found before the run.
std::optional<Error> try_out(const std::vector<Placed>& events, const Options& servers,
                             const std::string& file) {
  auto options = cloud_options(servers);
  if (!options) return Error{ErrorKind::config, file + ": " + options.error().message, ""};
  CloudEmulator cloud(*std::move(options), Now{}, 1);
  for (const auto& [event, table] : events) {
    Now now;
    now.boot += event.at;
    now.wall += event.at;
    const auto reply =
        cloud.handle_control({"POST", "/emulator/" + event.order, {}, event.fields}, now);
    if (reply.status == 200) continue;
    const auto why = json::parse(reply.body, nullptr, false).value("error", "is refused");
    return Section(*table, file)
        .error(reply.status == 400 ? why : "field 'order': '" + event.order + "': " + why);
  }
  return std::nullopt;
}

std::optional<Error> read_events(const toml::table& top, Scenario& to, const std::string& file) {
  Events events;
  const auto* array = top["event"].as_array();
  for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
    if (auto error = read_event({*array->get(i)->as_table(), file}, events)) return error;
  }
  if (auto error = try_out(events.servers, to.servers, file)) return error;
  for (auto& placed : events.servers) to.events.push_back(std::move(placed.event));
  to.locals = std::move(events.locals);
  return std::nullopt;
}

std::optional<Error> read_top(Section section, Scenario& to) {
  auto& fields = section.fields;
  const auto needed = [&fields](std::string_view name) {
    auto text = fields.text(name).value_or("");
    if (text.empty()) fields.complain(name, "is missing");
    return text;
  };
  to.id = needed("id");
  to.title = needed("title");
  to.about = needed("about");
  for (const auto* name : {"servers", "client", "expect"}) {
    fields.any(name);
    const auto* node = section.table.get(name);
    if (node != nullptr && !node->is_table()) fields.complain(name, "must be a table");
  }
  fields.any("event");
  const auto* events = section.table.get("event");
  if (events != nullptr && !events->is_array_of_tables())
    fields.complain("event", "must be tables: write [[event]]");
  if (events != nullptr && events->is_array() && events->as_array()->size() > kMaxEvents)
    fields.complain("event", "at most 1000 of them");
  return section.end();
}

}  // namespace

Result<Scenario> parse_scenario(std::string_view text, const std::string& file) {
  toml::table top;
  try {
    top = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return Error{ErrorKind::config,
                 file + ":" + std::to_string(error.source().begin.line) +
                     ": not TOML: " + std::string(error.description()),
                 "see https://toml.io"};
  }
  Scenario out;
  if (auto error = read_top({top, file}, out)) return *std::move(error);
  const auto* servers = top["servers"].as_table();
  const auto* client = top["client"].as_table();
  const auto* expect = top["expect"].as_table();
  std::optional<Error> error;
  if (servers != nullptr) error = read_servers({*servers, file}, out.servers);
  if (!error && client != nullptr) error = read_client({*client, file}, out.client);
  if (!error && expect != nullptr) error = read_expect({*expect, file}, out.expect);
  if (!error) error = read_events(top, out, file);
  if (error) return *std::move(error);
  return out;
}

Result<Scenario> load_scenario(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad())
    return Error{ErrorKind::config, "cannot read the scenario " + path, ""};
  return parse_scenario(text, path);
}

}  // namespace skewguard::emulator
