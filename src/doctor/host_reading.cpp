#include "doctor/host_reading.hpp"

#include "system/files.hpp"

namespace skewguard::doctor {

HostReading read_host(const Now& now, const std::string& path) {
  HostReading reading;
  const system::Files files;
  auto kernel = system::kernel_clock();
  if (kernel) {
    reading.kernel = *kernel;
  } else {
    reading.no_kernel = kernel.error().message;
  }
  reading.services = system::time_services(files, {.path = path});
  reading.machine = system::machine_kind(files, now);
  reading.remedies = system::clock_remedies(reading.services, reading.machine, files, path);
  return reading;
}

}  // namespace skewguard::doctor
