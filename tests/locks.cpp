#include "locks.hpp"

#include <dlfcn.h>
#include <pthread.h>

#include <atomic>

namespace {

std::atomic<std::size_t> count{0};

}  // namespace

// Counts; the C library does the work.
extern "C" int pthread_mutex_lock(pthread_mutex_t* mutex) {
  static const auto real =
      reinterpret_cast<int (*)(pthread_mutex_t*)>(::dlsym(RTLD_NEXT, "pthread_mutex_lock"));
  count.fetch_add(1, std::memory_order_relaxed);
  return real(mutex);
}

std::size_t locks() noexcept {
  return count.load(std::memory_order_relaxed);
}
