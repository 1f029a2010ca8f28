/*
 * Requests that libcurl sends: with a leased token while that is good, and guarded when there is
 * none or an answer may be about it. C99.
 *
 *   requests METHOD PATH [METHOD PATH]...
 *
 * Prints the status of each request. Settings come from the environment (docs/guide/settings.md).
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "skewguard/skewguard.h"

enum { MAX_FIELDS = 100, MAX_HEAD = 16 * 1024, MAX_BODY = 64 * 1024, MAX_TOKEN = 16 * 1024 };

/* One answer as it comes in. */
struct exchange {
  char head[MAX_HEAD], body[MAX_BODY];
  size_t head_size, body_size;
  skewguard_field fields[MAX_FIELDS];
  skewguard_answer answer;
};

/* Just before the request goes out. */
static int on_request(void* to, char* a, char* b, int c, int d) {
  struct exchange* exchange = to;
  (void)a, (void)b, (void)c, (void)d;
  skewguard_read_clocks(&exchange->answer.sent);
  return CURL_PREREQFUNC_OK;
}

/* One line of the head. A status line begins a new head: what came before was an interim answer. */
static size_t on_header(char* text, size_t one, size_t size, void* to) {
  struct exchange* exchange = to;
  skewguard_answer* answer = &exchange->answer;
  (void)one;
  if (size >= 5 && memcmp(text, "HTTP/", 5) == 0) {
    skewguard_read_clocks(&answer->received);
    answer->field_count = 0;
    exchange->head_size = 0;
    return size;
  }
  const char* colon = memchr(text, ':', size);
  if (colon == NULL || answer->field_count == MAX_FIELDS) return size;
  if (size > MAX_HEAD - exchange->head_size) return size;
  char* line = memcpy(exchange->head + exchange->head_size, text, size);
  exchange->head_size += size;

  skewguard_field* field = &exchange->fields[answer->field_count++];
  field->name = line;
  field->name_size = (size_t)(colon - text);
  const char* value = line + field->name_size + 1;
  const char* end = line + size;
  while (value < end && (*value == ' ' || *value == '\t')) ++value;
  while (end > value && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' ')) --end;
  field->value = value;
  field->value_size = (size_t)(end - value);
  return size;
}

/* What the program does with a body is its own affair; skewguard needs the first 64 KiB of errors.
 */
static size_t on_body(char* text, size_t one, size_t size, void* to) {
  struct exchange* exchange = to;
  const size_t room = MAX_BODY - exchange->body_size;
  const size_t kept = size < room ? size : room;
  (void)one;
  memcpy(exchange->body + exchange->body_size, text, kept);
  exchange->body_size += kept;
  return size;
}

/* Why there is no answer decides whether the request may be sent again. */
static int failure_of(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return SKEWGUARD_FAILED_DNS;
    case CURLE_COULDNT_CONNECT:
      return SKEWGUARD_FAILED_REFUSED;
    case CURLE_OPERATION_TIMEDOUT:
      return SKEWGUARD_FAILED_TIMEOUT;
    case CURLE_SSL_CONNECT_ERROR:
      return SKEWGUARD_FAILED_TLS;
    case CURLE_PARTIAL_FILE:
      return SKEWGUARD_FAILED_TRUNCATED;
    default:
      return SKEWGUARD_FAILED_RESET;
  }
}

/* The API base URL. */
static const char* api_url;

/* One request with this token. Takes at most `time_left` nanoseconds. */
static CURLcode send_one(CURL* curl, const char* method, const char* path,
                         const char* authorization, int64_t time_left, struct exchange* exchange) {
  static char url[4096], field[MAX_TOKEN + 64];
  snprintf(url, sizeof url, "%s%s", api_url, path);
  snprintf(field, sizeof field, "Authorization: %s", authorization);
  struct curl_slist* headers = curl_slist_append(NULL, field);
  memset(field, 0, sizeof field);
  memset(exchange, 0, sizeof *exchange);

  curl_easy_reset(curl); /* the connection stays */
  curl_easy_setopt(curl, CURLOPT_URL, url);
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
  curl_easy_setopt(curl, CURLOPT_NOBODY, strcmp(method, "HEAD") == 0 ? 1L : 0L);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(time_left / 1000000 + 1));
  curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, on_request);
  curl_easy_setopt(curl, CURLOPT_PREREQDATA, exchange);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, exchange);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
  const CURLcode code = curl_easy_perform(curl);
  curl_slist_free_all(headers);

  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  exchange->answer.size = sizeof exchange->answer;
  exchange->answer.status = (int32_t)status;
  exchange->answer.fields = exchange->fields;
  exchange->answer.body = exchange->body;
  exchange->answer.body_size = exchange->body_size;
  return code;
}

/* Sends what a guarded call asks for, until it has ended. Prints its status, or why there is none;
 * frees it. */
static int finish(skewguard_call* call, CURL* curl, const char* method, const char* path,
                  struct exchange* exchange) {
  while (skewguard_call_next(call, -1) == SKEWGUARD_SEND) {
    const CURLcode code = send_one(curl, method, path, skewguard_call_authorization(call),
                                   skewguard_call_time_left(call), exchange);
    if (code == CURLE_OK) {
      skewguard_call_answer(call, &exchange->answer, NULL);
    } else {
      skewguard_call_fail(call, failure_of(code), curl_easy_strerror(code), NULL);
    }
  }
  const int status = skewguard_call_status(call);
  const skewguard_error* error = skewguard_call_error(call);
  if (status != 0) printf("%d\n", status);
  if (error != NULL)
    fprintf(stderr, "%s\n", skewguard_error_text_of(error, SKEWGUARD_ERROR_DESCRIPTION));
  skewguard_call_free(call);
  return status != 0 ? 0 : 1;
}

/* One request. 0, or 1 if there is no answer. */
static int request(skewguard_client* client, CURL* curl, const char* method, const char* path,
                   struct exchange* exchange) {
  static char authorization[MAX_TOKEN];
  uint64_t generation = 0;
  const size_t length = skewguard_lease(client, authorization, sizeof authorization, &generation);
  if (length == 0 || length >= sizeof authorization) { /* no token yet */
    skewguard_call* call = skewguard_guard_begin(client, method, path, 0, -1, NULL, 0, NULL);
    return call == NULL ? 1 : finish(call, curl, method, path, exchange);
  }
  const int64_t at_most = INT64_C(30000000000); /* 30 s */
  const CURLcode code = send_one(curl, method, path, authorization, at_most, exchange);
  memset(authorization, 0, sizeof authorization);
  if (code != CURLE_OK) {
    fprintf(stderr, "%s\n", curl_easy_strerror(code));
    return 1;
  }
  if (skewguard_observe(client, generation, &exchange->answer) == SKEWGUARD_NOTED) {
    printf("%d\n", (int)exchange->answer.status); /* nearly always */
    return 0;
  }
  /* It may be about the token: a guarded call begins with it, and sends again if that may help. */
  skewguard_call* call = skewguard_guard_begin_with(client, method, path, 0, -1, generation,
                                                    &exchange->answer, NULL, 0, NULL);
  return call == NULL ? 1 : finish(call, curl, method, path, exchange);
}

int main(int argc, char** argv) {
  skewguard_error* error = NULL;
  skewguard_client* client = skewguard_client_new(NULL, NULL, 0, &error);
  if (client == NULL) {
    fprintf(stderr, "%s\n", skewguard_error_text_of(error, SKEWGUARD_ERROR_DESCRIPTION));
    skewguard_error_free(error);
    return 2;
  }
  api_url = skewguard_client_api_url(client);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  CURL* curl = curl_easy_init();
  struct exchange* exchange = malloc(sizeof *exchange);
  int failed = curl == NULL || exchange == NULL;
  for (int i = 1; !failed && i + 1 < argc; i += 2)
    failed = request(client, curl, argv[i], argv[i + 1], exchange);
  free(exchange);
  curl_easy_cleanup(curl);
  curl_global_cleanup();
  skewguard_client_free(client);
  return failed;
}
