/*
 * Many calls at once in one thread, which the library sends itself: one descriptor to wait on. At
 * the end: what is known about the servers' clocks, and what the log said. C99.
 *
 *   many_calls PATH [PATH]...
 *
 * Settings come from the environment (docs/guide/settings.md); the timeout is set here.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "skewguard/skewguard.h"

enum { MAX_CALLS = 1000 };

static int complain(skewguard_error* error) {
  fprintf(stderr, "%s\n", skewguard_error_text_of(error, SKEWGUARD_ERROR_DESCRIPTION));
  skewguard_error_free(error);
  return 1;
}

/* Begins a GET for each path. Each call's tag is its place. */
static int begin_all(skewguard_client* client, char** paths, int count, skewguard_queue* queue,
                     skewguard_call** calls) {
  for (int i = 0; i < count; ++i) {
    skewguard_error* error = NULL;
    calls[i] = skewguard_request_begin(client, "GET", paths[i], NULL, 0, NULL, 0, -1, queue,
                                       (uint64_t)i, &error);
    if (calls[i] == NULL) return complain(error);
  }
  return 0;
}

/* Prints how each call ended, as they end. */
static int finish_all(skewguard_queue* queue, char** paths, skewguard_call** calls, int count) {
  int failed = 0;
  struct pollfd news = {skewguard_queue_fd(queue), POLLIN, 0};
  while (count > 0) {
    uint64_t tags[16];
    poll(&news, 1, -1); /* here the program may wait for other descriptors as well */
    const size_t found = skewguard_queue_pop(queue, tags, 16);
    for (size_t i = 0; i < found; ++i) {
      skewguard_call* call = calls[tags[i]];
      if (skewguard_call_next(call, 0) != SKEWGUARD_DONE) continue;
      const skewguard_error* error = skewguard_call_error(call);
      size_t size = 0;
      skewguard_call_bytes(call, SKEWGUARD_RESULT_BODY, &size);
      printf("%s: %d, %zu bytes\n", paths[tags[i]], (int)skewguard_call_status(call), size);
      if (error != NULL) {
        fprintf(stderr, "%s\n", skewguard_error_text_of(error, SKEWGUARD_ERROR_DESCRIPTION));
        failed = 1;
      }
      --count;
    }
  }
  return failed;
}

/* What the client knows about the servers' clocks. */
static int show_clocks(skewguard_client* client) {
  skewguard_error* error = NULL;
  skewguard_call* call = skewguard_status_begin(client, NULL, 0, &error);
  if (call == NULL) return complain(error);
  skewguard_call_next(call, -1);
  skewguard_clock clock;
  for (size_t i = 0; skewguard_call_clock(call, i, &clock); ++i) {
    if (clock.known)
      printf("%s is %.1f to %.1f s ahead\n", clock.server, (double)clock.low / 1e9,
             (double)clock.high / 1e9);
  }
  skewguard_call_free(call);
  return 0;
}

/* Log lines, rejections and calls that met one, since the last time. */
static void show_events(skewguard_client* client) {
  skewguard_event* event;
  while ((event = skewguard_event_next(client)) != NULL) {
    if (skewguard_event_dropped(event) > 0)
      fprintf(stderr, "(%" PRIu64 " lost)\n", skewguard_event_dropped(event));
    fprintf(stderr, "%s %s\n",
            skewguard_name(SKEWGUARD_NAMES_LOG_LEVEL, skewguard_event_level(event)),
            skewguard_event_text_of(event, SKEWGUARD_EVENT_MESSAGE));
    skewguard_event_free(event);
  }
}

int main(int argc, char** argv) {
  static skewguard_call* calls[MAX_CALLS];
  const int count = argc - 1 < MAX_CALLS ? argc - 1 : MAX_CALLS;
  const char* keys[] = {"timeout"};
  const char* values[] = {"20s"};
  skewguard_error* error = NULL;
  skewguard_client* client = skewguard_client_new(keys, values, 1, &error);
  if (client == NULL) return complain(error);
  skewguard_listen(client, SKEWGUARD_EVENT_LOG, SKEWGUARD_INFO, NULL, 0);
  skewguard_queue* queue = skewguard_queue_new(&error);
  int failed = queue == NULL ? complain(error) : begin_all(client, argv + 1, count, queue, calls);
  if (!failed) failed = finish_all(queue, argv + 1, calls, count);
  if (!failed) failed = show_clocks(client);
  show_events(client);
  for (int i = 0; i < count; ++i) skewguard_call_free(calls[i]);
  skewguard_queue_free(queue);
  skewguard_client_free(client);
  return failed;
}
