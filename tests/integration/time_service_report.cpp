// Prints as JSON what this machine says of its clock. Its arguments are more ones for chronyc.

#include <iostream>
#include <nlohmann/json.hpp>

#include "system/clock_remedy.hpp"
#include "system/kernel_clock.hpp"
#include "system/machine_kind.hpp"
#include "system/system_clocks.hpp"
#include "system/time_service.hpp"

namespace {

using nlohmann::json;
using namespace skewguard;  // NOLINT(google-build-using-namespace)

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

json report(const std::vector<system::NtpServer>& servers) {
  json list = json::array();
  for (const auto& server : servers)
    list.push_back(server.host + ":" + std::to_string(server.port));
  return list;
}

json report(const system::TimeService& service) {
  json said = {{"name", service.name},
               {"installed", service.installed},
               {"running", service.running},
               {"unit", service.unit},
               {"source", service.answer.source},
               {"sources", report(service.answer.servers)},
               {"no_answer", service.no_answer},
               {"servers", report(service.servers)}};
  if (service.enabled) said["enabled"] = *service.enabled;
  if (service.answer.synchronized) said["synchronized"] = *service.answer.synchronized;
  if (service.answer.offset) {
    said["offset_low_s"] = seconds(service.answer.offset->low);
    said["offset_high_s"] = seconds(service.answer.offset->high);
  }
  return said;
}

json report(const Result<system::KernelClock>& clock) {
  if (!clock) return describe(clock.error());
  json said = {{"synchronized", clock->synchronized}, {"frequency_ppm", clock->frequency_ppm}};
  if (clock->max_error) said["max_error_s"] = seconds(*clock->max_error);
  return said;
}

}  // namespace

int main(int count, char** words) {
  const system::Files files;
  system::TimeServiceOptions options;
  options.chronyc.assign(words + 1, words + count);
  const auto services = system::time_services(files, options);
  system::SystemClocks clocks;
  const auto kind = system::machine_kind(files, clocks.now());
  json remedies = json::array();
  for (const auto& remedy : system::clock_remedies(services, kind, files))
    remedies.push_back({{"command", remedy.command}, {"why", remedy.why}});
  json list = json::array();
  for (const auto& service : services) list.push_back(report(service));
  std::cout << json{{"kernel", report(system::kernel_clock())},
                    {"services", list},
                    {"ntp_servers", report(system::ntp_servers(services))},
                    {"machine",
                     {{"container", kind.container},
                      {"vm", kind.vm},
                      {"wsl", kind.wsl},
                      {"clock_source", kind.clock_source},
                      {"host_clocks", kind.host_clocks},
                      {"suspended_s", seconds(kind.suspended)}}},
                    {"remedies", remedies}}
                   .dump(2)
            << '\n';
}
