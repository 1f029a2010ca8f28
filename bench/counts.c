// Counts allocations, locks and system calls of a program, in a file that others can read
// meanwhile:
//
//   cc -shared -fPIC -O2 -o counts.so counts.c
//   SKEWGUARD_BENCH_COUNTS=FILE LD_PRELOAD=./counts.so PROGRAM
//
// FILE gets three numbers of 64 bits, in this machine's byte order: allocations, locks, system
// calls. What the program and its libraries call is counted; calls inside the C library are not
// seen, nor what needs no system call, like readings of a clock.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

enum Kind { kAllocation, kLock, kSystemCall, kKinds };

static _Atomic uint64_t unseen[kKinds];
static _Atomic uint64_t* counts = unseen;

__attribute__((constructor)) static void set_up(void) {
  const char* path = getenv("SKEWGUARD_BENCH_COUNTS");
  const int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (file < 0) return;
  void* memory = mmap(NULL, sizeof unseen, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (memory != MAP_FAILED) counts = memory;
  close(file);
}

static void count(enum Kind kind) {
  atomic_fetch_add_explicit(&counts[kind], 1, memory_order_relaxed);
}

// The C library's own; dlsym() would allocate.
extern void* __libc_malloc(size_t size);
extern void* __libc_calloc(size_t number, size_t size);
extern void* __libc_realloc(void* memory, size_t size);
extern void* __libc_memalign(size_t alignment, size_t size);

void* malloc(size_t size) {
  count(kAllocation);
  return __libc_malloc(size);
}
void* calloc(size_t number, size_t size) {
  count(kAllocation);
  return __libc_calloc(number, size);
}
void* realloc(void* memory, size_t size) {
  count(kAllocation);
  return __libc_realloc(memory, size);
}
void* aligned_alloc(size_t alignment, size_t size) {
  count(kAllocation);
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, size_t alignment, size_t size) {
  count(kAllocation);
  *memory = __libc_memalign(alignment, size);
  return *memory ? 0 : ENOMEM;
}

// Defines a function that counts and calls the next one of that name.
#define COUNTED(kind, type, name, parameters, arguments)           \
  type name parameters {                                           \
    static type(*_Atomic next) parameters;                         \
    if (!next) next = (type(*) parameters)dlsym(RTLD_NEXT, #name); \
    count(kind);                                                   \
    return next arguments;                                         \
  }

COUNTED(kLock, int, pthread_mutex_lock, (pthread_mutex_t * mutex), (mutex))
COUNTED(kLock, int, pthread_mutex_trylock, (pthread_mutex_t * mutex), (mutex))
COUNTED(kLock, int, pthread_rwlock_rdlock, (pthread_rwlock_t * lock), (lock))
COUNTED(kLock, int, pthread_rwlock_wrlock, (pthread_rwlock_t * lock), (lock))

#define SYSTEM_CALL(type, name, parameters, arguments) \
  COUNTED(kSystemCall, type, name, parameters, arguments)

SYSTEM_CALL(int, epoll_wait, (int epoll, struct epoll_event* events, int size, int time),
            (epoll, events, size, time))
SYSTEM_CALL(int, epoll_ctl, (int epoll, int what, int file, struct epoll_event* event),
            (epoll, what, file, event))
SYSTEM_CALL(ssize_t, recv, (int file, void* data, size_t size, int flags),
            (file, data, size, flags))
SYSTEM_CALL(ssize_t, recvmsg, (int file, struct msghdr* message, int flags), (file, message, flags))
SYSTEM_CALL(ssize_t, read, (int file, void* data, size_t size), (file, data, size))
SYSTEM_CALL(ssize_t, readv, (int file, const struct iovec* parts, int number),
            (file, parts, number))
SYSTEM_CALL(ssize_t, send, (int file, const void* data, size_t size, int flags),
            (file, data, size, flags))
SYSTEM_CALL(ssize_t, sendmsg, (int file, const struct msghdr* message, int flags),
            (file, message, flags))
SYSTEM_CALL(ssize_t, write, (int file, const void* data, size_t size), (file, data, size))
SYSTEM_CALL(ssize_t, writev, (int file, const struct iovec* parts, int number),
            (file, parts, number))
SYSTEM_CALL(int, accept, (int file, struct sockaddr* address, socklen_t* size),
            (file, address, size))
SYSTEM_CALL(int, accept4, (int file, struct sockaddr* address, socklen_t* size, int flags),
            (file, address, size, flags))
SYSTEM_CALL(int, socket, (int domain, int type, int protocol), (domain, type, protocol))
SYSTEM_CALL(int, connect, (int file, const struct sockaddr* address, socklen_t size),
            (file, address, size))
SYSTEM_CALL(int, setsockopt, (int file, int level, int name, const void* value, socklen_t size),
            (file, level, name, value, size))
SYSTEM_CALL(int, shutdown, (int file, int how), (file, how))
SYSTEM_CALL(int, close, (int file), (file))
SYSTEM_CALL(int, timerfd_settime,
            (int file, int flags, const struct itimerspec* wanted, struct itimerspec* before),
            (file, flags, wanted, before))
SYSTEM_CALL(int, madvise, (void* memory, size_t size, int advice), (memory, size, advice))

// With six arguments, as many as any has: a futex, for example.
long syscall(long number, ...) {
  static long (*_Atomic next)(long, ...);
  if (!next) next = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
  count(kSystemCall);
  va_list list;
  va_start(list, number);
  long of[6];
  for (int i = 0; i < 6; ++i) of[i] = va_arg(list, long);
  va_end(list);
  return next(number, of[0], of[1], of[2], of[3], of[4], of[5]);
}
