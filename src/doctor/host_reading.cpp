#include "doctor/host_reading.hpp"

#include "host/files.hpp"

namespace skewguard::doctor {

HostReading read_host(const Now& now, const std::string& path) {
  HostReading reading;
  const host::Files files;
  auto kernel = host::kernel_clock();
  if (kernel) {
    reading.kernel = *kernel;
  } else {
    reading.no_kernel = kernel.error().message;
  }
  reading.services = host::time_services(files, {.path = path});
  reading.machine = host::machine_kind(files, now);
  reading.remedies = host::clock_remedies(reading.services, reading.machine, files, path);
  return reading;
}

}  // namespace skewguard::doctor
