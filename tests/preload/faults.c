// Makes one I/O operation of a program fail, do half of its work, or be its last. Operations are
// calls of the functions below, from the program or a library; those inside the C library are not
// seen, and an event loop's own (epoll, its eventfd) are left out but for their making.
//
//   cc -shared -fPIC -O2 -o faults.so faults.c
//   SKEWGUARD_TEST_FAULT="7 fail 5 104 24" LD_PRELOAD=./faults.so PROGRAM
//
// SKEWGUARD_TEST_FAULT  NUMBER fail FILE SOCKET OTHER   the NUMBER-th operation, from 1, fails with
//                                                       this errno, by what it is done to; 0 =
//                                                       operations of that kind do not count
//                       NUMBER half                     the NUMBER-th transfer does half of it:
//                                                       of files alone, since a socket that took
//                                                       less than it was given is full, and tells
//                                                       its loop when it is no more
//                       NUMBER kill                     the process is killed right after it
//                       NUMBER torn                     both
// SKEWGUARD_TEST_FAULT_LOG  a file that gets one line at that operation: its name, and its path
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

enum Kind { kFile, kSocket, kOther, kKinds };
enum Action { kNone, kFail, kHalf, kKill, kTorn };
enum { kMaxText = 512 };

static atomic_int seen;
static long chosen;
static enum Action action;
static int errors[kKinds];

static void die(const char* why) {
  fprintf(stderr, "faults: %s\n", why);
  _exit(99);
}

// Before any library of the program, whichever of them does I/O first.
static void set_up(void) {
  static bool done;
  if (done) return;
  done = true;
  const char* const wanted = getenv("SKEWGUARD_TEST_FAULT");
  char name[8] = "";
  if (wanted == NULL) return;
  const int got = sscanf(wanted, "%ld %7s %d %d %d", &chosen, name, &errors[kFile],
                         &errors[kSocket], &errors[kOther]);
  if (got == 5 && strcmp(name, "fail") == 0) action = kFail;
  if (got == 2 && strcmp(name, "half") == 0) action = kHalf;
  if (got == 2 && strcmp(name, "kill") == 0) action = kKill;
  if (got == 2 && strcmp(name, "torn") == 0) action = kTorn;
  if (action == kNone || chosen < 1) die("SKEWGUARD_TEST_FAULT is not understood");
}

// What `fd`, and `path` under it, stand for.
static void name_it(char* text, int fd, const char* path) {
  char link[64];
  size_t filled = 0;
  if (fd >= 0 && (path == NULL || path[0] != '/')) {
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const long got = syscall(SYS_readlink, link, text, (size_t)kMaxText / 2);
    filled = got > 0 ? (size_t)got : 0;
  }
  snprintf(text + filled, kMaxText - filled, "/%s", path == NULL ? "" : path);
}

static void tell(const char* operation, int fd, const char* path) {
  const char* const log = getenv("SKEWGUARD_TEST_FAULT_LOG");
  if (log == NULL) return;
  char what[kMaxText] = "";
  char line[kMaxText + 64];
  name_it(what, fd, path);
  const int size = snprintf(line, sizeof line, "%s %s\n", operation, what);
  const long file =
      syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0 || syscall(SYS_write, file, line, (size_t)size) != size) die("cannot write the log");
  syscall(SYS_close, file);
}

// Whether this is the operation.
static bool is_chosen(enum Kind kind, bool transfer, const char* operation, int fd,
                      const char* path) {
  set_up();
  if (action == kNone) return false;
  if ((action == kHalf || action == kTorn) && !transfer) return false;
  if (action == kFail && errors[kind] == 0) return false;
  if (atomic_fetch_add(&seen, 1) + 1 != chosen) return false;
  tell(operation, fd, path);
  return true;
}

static bool halves(bool it) {
  return it && (action == kHalf || action == kTorn);
}

static void done(bool it) {
  if (it && (action == kKill || action == kTorn)) kill(getpid(), SIGKILL);
}

// Files, pipes and sockets; not what an event loop wakes itself with, which has no type.
static bool counts(int fd) {
  struct stat found;
  if (syscall(SYS_fstat, fd, &found) != 0) return true;
  return (found.st_mode & S_IFMT) != 0;
}

#define REAL(name)                                                         \
  ({                                                                       \
    static __typeof__(&(name)) real;                                       \
    if (real == NULL) real = (__typeof__(&(name)))dlsym(RTLD_NEXT, #name); \
    real;                                                                  \
  })

// After a reset, nothing more comes over the connection.
static void fail_with(int error, int fd) {
  if (error == ECONNRESET && fd >= 0) syscall(SYS_shutdown, fd, SHUT_RDWR);
  errno = error;
}

#define OPERATION(kind, failure, type, name, parameters, arguments, fd, path) \
  type name parameters {                                                      \
    const bool it = is_chosen(kind, false, #name, fd, path);                  \
    if (it && action == kFail) {                                              \
      fail_with(errors[kind], fd);                                            \
      return failure;                                                         \
    }                                                                         \
    type const result = REAL(name) arguments;                                 \
    done(it);                                                                 \
    return result;                                                            \
  }

#define TRANSFER(name, parameters, arguments, fd, count)     \
  ssize_t name parameters {                                  \
    if (!counts(fd)) return REAL(name) arguments;            \
    const bool it = is_chosen(kFile, true, #name, fd, NULL); \
    if (it && action == kFail) {                             \
      errno = errors[kFile];                                 \
      return -1;                                             \
    }                                                        \
    if (halves(it) && (count) > 1) (count) /= 2;             \
    const ssize_t result = REAL(name) arguments;             \
    done(it);                                                \
    return result;                                           \
  }

// open(2) and its like take a mode where a file may be made.
#define OPENING(name, parameters, arguments, fd, path)                                     \
  int name parameters {                                                                    \
    va_list more;                                                                          \
    va_start(more, flags);                                                                 \
    const mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0; \
    va_end(more);                                                                          \
    const bool it = is_chosen(kFile, false, #name, fd, path);                              \
    if (it && action == kFail) {                                                           \
      errno = errors[kFile];                                                               \
      return -1;                                                                           \
    }                                                                                      \
    const int result = REAL(name) arguments;                                               \
    done(it);                                                                              \
    return result;                                                                         \
  }

OPENING(open, (const char* path, int flags, ...), (path, flags, mode), -1, path)
OPENING(open64, (const char* path, int flags, ...), (path, flags, mode), -1, path)
OPENING(openat, (int fd, const char* path, int flags, ...), (fd, path, flags, mode), fd, path)
OPENING(openat64, (int fd, const char* path, int flags, ...), (fd, path, flags, mode), fd, path)
OPERATION(kFile, NULL, FILE*, fopen, (const char* path, const char* mode), (path, mode), -1, path)
OPERATION(kFile, NULL, FILE*, fopen64, (const char* path, const char* mode), (path, mode), -1, path)

TRANSFER(read, (int fd, void* into, size_t size), (fd, into, size), fd, size)
TRANSFER(pread64, (int fd, void* into, size_t size, off64_t at), (fd, into, size, at), fd, size)
TRANSFER(write, (int fd, const void* from, size_t size), (fd, from, size), fd, size)
TRANSFER(pwrite64, (int fd, const void* from, size_t size, off64_t at), (fd, from, size, at), fd,
         size)
TRANSFER(readv, (int fd, const struct iovec* parts, int count), (fd, parts, count), fd, count)
TRANSFER(writev, (int fd, const struct iovec* parts, int count), (fd, parts, count), fd, count)
OPERATION(kSocket, -1, ssize_t, send, (int fd, const void* from, size_t size, int flags),
          (fd, from, size, flags), fd, NULL)
OPERATION(kSocket, -1, ssize_t, recv, (int fd, void* into, size_t size, int flags),
          (fd, into, size, flags), fd, NULL)
OPERATION(kSocket, -1, ssize_t, sendmsg, (int fd, const struct msghdr* message, int flags),
          (fd, message, flags), fd, NULL)
OPERATION(kSocket, -1, ssize_t, recvmsg, (int fd, struct msghdr* message, int flags),
          (fd, message, flags), fd, NULL)
OPERATION(kSocket, -1, int, socket, (int domain, int type, int protocol), (domain, type, protocol),
          -1, NULL)
OPERATION(kSocket, -1, int, connect, (int fd, const struct sockaddr* to, socklen_t size),
          (fd, to, size), fd, NULL)

OPERATION(kFile, -1, int, fsync, (int fd), (fd), fd, NULL)
OPERATION(kFile, -1, int, fdatasync, (int fd), (fd), fd, NULL)
OPERATION(kFile, -1, int, ftruncate, (int fd, off_t size), (fd, size), fd, NULL)
OPERATION(kFile, -1, int, rename, (const char* from, const char* to), (from, to), -1, to)
OPERATION(kFile, -1, int, renameat, (int fd, const char* from, int to_fd, const char* to),
          (fd, from, to_fd, to), to_fd, to)
OPERATION(kFile, -1, int, link, (const char* from, const char* to), (from, to), -1, to)
OPERATION(kFile, -1, int, linkat, (int fd, const char* from, int to_fd, const char* to, int flags),
          (fd, from, to_fd, to, flags), to_fd, to)
OPERATION(kFile, -1, int, unlink, (const char* path), (path), -1, path)
OPERATION(kFile, -1, int, unlinkat, (int fd, const char* path, int flags), (fd, path, flags), fd,
          path)
OPERATION(kFile, -1, int, mkdir, (const char* path, mode_t mode), (path, mode), -1, path)
OPERATION(kFile, -1, int, stat, (const char* path, struct stat* into), (path, into), -1, path)
OPERATION(kFile, -1, int, fstat, (int fd, struct stat* into), (fd, into), fd, NULL)
OPERATION(kFile, -1, int, fstatat, (int fd, const char* path, struct stat* into, int flags),
          (fd, path, into, flags), fd, path)
OPERATION(kFile, -1, ssize_t, readlink, (const char* path, char* into, size_t size),
          (path, into, size), -1, path)

OPERATION(kOther, -1, ssize_t, getrandom, (void* into, size_t size, unsigned flags),
          (into, size, flags), -1, NULL)
OPERATION(kOther, -1, int, epoll_create1, (int flags), (flags), -1, NULL)
OPERATION(kOther, -1, int, eventfd, (unsigned count, int flags), (count, flags), -1, NULL)
OPERATION(kOther, -1, int, timerfd_create, (int clock, int flags), (clock, flags), -1, NULL)
OPERATION(kOther, MAP_FAILED, void*, mmap,
          (void* at, size_t size, int access, int flags, int fd, off_t from),
          (at, size, access, flags, fd, from), fd, NULL)
