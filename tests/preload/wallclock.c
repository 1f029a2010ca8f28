// Moves a program's wall clock (CLOCK_REALTIME), as on a machine whose wall clock was set wrong,
// and where it is told to, CLOCK_BOOTTIME, as on a machine that was suspended. CLOCK_MONOTONIC and
// every timer stay true, or all clocks run fast while timers do not. The kernel stamps packets with
// the clock that is not moved, so a program that asks for such stamps is told that there are none.
//
//   cc -shared -fPIC -O2 -o wallclock.so wallclock.c
//   SKEWGUARD_TEST_WALL_OFFSET=-600 LD_PRELOAD=./wallclock.so PROGRAM
//
// SKEWGUARD_TEST_WALL_OFFSET  seconds, may have a fraction and a sign (positive = the clock is
// fast);
//                             or @SECONDS: the clock starts there (since 1970) with the program.
// SKEWGUARD_TEST_WALL_FILE    a file of one or two native int64: nanoseconds to add on top, and
//                             nanoseconds to add to CLOCK_BOOTTIME (none = 0). It is mapped, so
//                             writing it steps the clocks of a running program.
// SKEWGUARD_TEST_SPEED        all clocks run so many times as fast, counted from the machine's
//                             start: programs that are told the same see the same time
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const int64_t kSecond = 1000000000;

struct Moving {
  int64_t wall;
  int64_t boot;
};

static int64_t speed = 1;
static int64_t fixed_offset;                  // nanoseconds, set before main
static const volatile struct Moving* moving;  // nanoseconds, or NULL

static int real_clock(clockid_t id, struct timespec* out) {
  return (int)syscall(SYS_clock_gettime, id, out);
}

static void die(const char* why) {
  fprintf(stderr, "wallclock: %s\n", why);
  _exit(99);
}

static int64_t parse_seconds(const char* text) {
  char* end = NULL;
  const long double seconds = strtold(text, &end);
  if (end == text || *end != '\0') die("SKEWGUARD_TEST_WALL_OFFSET is not a number of seconds");
  return (int64_t)(seconds * (long double)kSecond);
}

static void map_file(const char* path) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) die("cannot open SKEWGUARD_TEST_WALL_FILE");
  // What a page has beyond the end of its file reads as zero.
  void* const map = mmap(NULL, sizeof(struct Moving), PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (map == MAP_FAILED) die("cannot map SKEWGUARD_TEST_WALL_FILE");
  moving = map;
}

__attribute__((constructor)) static void set_up(void) {
  const char* const offset = getenv("SKEWGUARD_TEST_WALL_OFFSET");
  const char* const path = getenv("SKEWGUARD_TEST_WALL_FILE");
  if (offset != NULL && offset[0] == '@') {
    struct timespec now;
    real_clock(CLOCK_REALTIME, &now);
    fixed_offset = parse_seconds(offset + 1) - (now.tv_sec * kSecond + now.tv_nsec);
  } else if (offset != NULL) {
    fixed_offset = parse_seconds(offset);
  }
  if (path != NULL) map_file(path);
  const char* const fast = getenv("SKEWGUARD_TEST_SPEED");
  if (fast != NULL) speed = strtol(fast, NULL, 10);
  if (speed < 1 || speed > 1000) die("SKEWGUARD_TEST_SPEED is not from 1 to 1000");
}

static void move(struct timespec* time, int64_t by) {
  const int64_t moved = time->tv_sec * kSecond + time->tv_nsec + by;
  int64_t seconds = moved / kSecond;
  int64_t rest = moved % kSecond;
  if (rest < 0) {
    rest += kSecond;
    --seconds;
  }
  time->tv_sec = seconds;
  time->tv_nsec = rest;
}

int clock_gettime(clockid_t id, struct timespec* out) {
  const int result = real_clock(id, out);
  if (result != 0) return result;
  if (speed != 1) {
    struct timespec up;
    real_clock(CLOCK_BOOTTIME, &up);
    move(out, (up.tv_sec * kSecond + up.tv_nsec) * (speed - 1));
  }
  if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) {
    move(out, fixed_offset + (moving != NULL ? moving->wall : 0));
  } else if (id == CLOCK_BOOTTIME && moving != NULL) {
    move(out, moving->boot);
  }
  return result;
}

int gettimeofday(struct timeval* restrict out, void* restrict zone) {
  (void)zone;
  struct timespec now;
  const int result = clock_gettime(CLOCK_REALTIME, &now);
  if (result == 0) {
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
  }
  return result;
}

time_t time(time_t* out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != NULL) *out = now.tv_sec;
  return now.tv_sec;
}

int timespec_get(struct timespec* out, int base) {
  if (base != TIME_UTC) return 0;
  return clock_gettime(CLOCK_REALTIME, out) == 0 ? base : 0;
}

int setsockopt(int file, int level, int name, const void* value, socklen_t size) {
  const int stamps = name == SO_TIMESTAMP || name == SO_TIMESTAMPNS || name == SO_TIMESTAMPING;
  if (level == SOL_SOCKET && stamps) {
    errno = ENOPROTOOPT;
    return -1;
  }
  return (int)syscall(SYS_setsockopt, file, level, name, value, size);
}
