#include "system/vmclock.hpp"

#include <endian.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>

namespace skewguard::system {
namespace {

/// The beginning of `struct vmclock_abi`; all fields are little-endian.
struct Page {
  std::uint32_t magic;
  std::uint32_t size;  ///< of the region, bytes
  std::uint16_t version;
  std::uint8_t counter_id;
  std::uint8_t time_type;
  std::uint32_t seq_count;  ///< odd: an update is in progress
  std::uint64_t disruption_marker;
};
static_assert(offsetof(Page, seq_count) == 12 && offsetof(Page, disruption_marker) == 16);

constexpr std::uint32_t kMagic = 0x4b4c4356;  // "VCLK"
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kPageBytes = 4096;  // the device maps whole pages
/// An update takes the hypervisor well under a microsecond; do not wait for one that never ends.
constexpr int kMaxReads = 1000;

VmClock::Mapping map_page(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return nullptr;
  struct stat status{};
  // Reading beyond the end of a file would kill the process; a device always has its page.
  const bool whole = ::fstat(fd, &status) == 0 &&
                     (!S_ISREG(status.st_mode) || status.st_size >= off_t{sizeof(Page)});
  void* page = whole ? ::mmap(nullptr, kPageBytes, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
  ::close(fd);
  return VmClock::Mapping(page == MAP_FAILED ? nullptr : page);
}

}  // namespace

void VmClock::Unmap::operator()(void* page) const noexcept {
  ::munmap(page, kPageBytes);
}

std::unique_ptr<VmClock> VmClock::open(const std::string& path) {
  Mapping mapping = map_page(path);
  if (!mapping) return nullptr;
  const auto* page = static_cast<const Page*>(mapping.get());
  const bool known = le32toh(page->magic) == kMagic && le16toh(page->version) == kVersion &&
                     le32toh(page->size) >= sizeof(Page);
  return known ? std::make_unique<VmClock>(std::move(mapping)) : nullptr;
}

std::optional<std::uint64_t> VmClock::marker() noexcept {
  const auto* page = static_cast<const Page*>(page_.get());
  for (int i = 0; i < kMaxReads; ++i) {
    const std::uint32_t before = __atomic_load_n(&page->seq_count, __ATOMIC_ACQUIRE);
    if (le32toh(before) % 2 != 0) continue;
    // Acquired, so that the count below is read after it.
    const std::uint64_t marker = __atomic_load_n(&page->disruption_marker, __ATOMIC_ACQUIRE);
    if (__atomic_load_n(&page->seq_count, __ATOMIC_RELAXED) == before) return le64toh(marker);
  }
  return std::nullopt;
}

}  // namespace skewguard::system
