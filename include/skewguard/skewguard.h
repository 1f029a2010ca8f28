/*
 * skewguard in C: keeps a program authenticated against Genesys Cloud, or any OAuth 2.0 API,
 * whatever the clocks do. C99; also for C++, and for other languages' foreign function interfaces.
 * See docs/guide/c.md. Link with libskewguard-c (pkg-config skewguard-c).
 *
 * Rules for all functions:
 * - Nothing here calls back into the program. A call is a handle that is asked what to do next.
 * - Handles are opaque. Whoever gets one from a function named _new, _begin, _begin_with or
 *   skewguard_event_next owns it and frees it with the matching _free. A _free function accepts
 *   NULL and never waits for the network. No other thread may use the handle then or later; other
 *   handles that were made from it stay valid.
 * - Strings passed in end with a zero byte or come with their size, are UTF-8, and are copied.
 *   Strings returned end with a zero byte and belong to the handle that they were asked from: they
 *   are valid until it is freed, unless the function says otherwise. A server's words in them may
 *   contain bytes that are not UTF-8.
 * - Times and spans are signed 64-bit nanoseconds. A span of -1 means "not given".
 * - Functions that can fail have a pointer to an error as their last argument. It may be NULL; if
 *   not, it is set on failure to an error that the caller frees, and is left alone on success.
 * - A client, a queue and an estimator may be used from several threads at once; a call, an error
 *   and an event from one thread at a time.
 * - After fork(), the child may use a client, which then has no token and counts its tokens anew.
 *   It may only free the calls, queues, events and errors of its parent, whose queues it must not
 *   pass on to calls of its own.
 * - Secrets and tokens are only in what skewguard_lease, skewguard_call_authorization and
 *   skewguard_call_bytes(SKEWGUARD_RESULT_TOKEN) return. These are wiped when they are freed.
 */
#ifndef SKEWGUARD_SKEWGUARD_H
#define SKEWGUARD_SKEWGUARD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct skewguard_client skewguard_client;
typedef struct skewguard_call skewguard_call;
typedef struct skewguard_queue skewguard_queue;
typedef struct skewguard_event skewguard_event;
typedef struct skewguard_error skewguard_error;
typedef struct skewguard_estimator skewguard_estimator;

/* ---- Versions ---- */

/* The version of the library that is loaded: "0.1.0". Always valid. */
const char* skewguard_version(void);
/* Grows by one with each addition to this interface; what exists stays as it is. Now 1. */
int32_t skewguard_abi(void);

/* ---- Errors ---- */

/* What the caller should do next (docs/guide/exit-codes.md). */
enum skewguard_error_kind {
  SKEWGUARD_OK = 0,
  SKEWGUARD_CONFIG = 1,      /* wrong usage or settings; nothing was sent: correct them */
  SKEWGUARD_CREDENTIALS = 2, /* the identity is rejected: a person must act; do not retry */
  SKEWGUARD_CLOCK = 3,       /* only correcting a clock cures it: the message says whose */
  SKEWGUARD_FORBIDDEN = 4,   /* the token is good but may not do this */
  SKEWGUARD_THROTTLED = 5,   /* rate limited past the deadline: try later */
  SKEWGUARD_UNAVAILABLE = 6, /* no answer, or the login host stays down: try later */
  SKEWGUARD_TIMEOUT = 7,     /* the deadline passed before an answer arrived */
  SKEWGUARD_PROTOCOL = 8,    /* an answer came that cannot be used */
  SKEWGUARD_CANCELLED = 9    /* the caller cancelled, or the client was freed */
};

enum skewguard_error_text {
  SKEWGUARD_ERROR_MESSAGE = 1,     /* one plain sentence */
  SKEWGUARD_ERROR_REMEDY = 2,      /* what a person can do; may be empty */
  SKEWGUARD_ERROR_DESCRIPTION = 3, /* message and remedy on one line */
  SKEWGUARD_ERROR_REPORT = 4       /* JSON, skewguard.report/1; empty if no call was made */
};

/* The kind of an error; SKEWGUARD_OK for NULL. */
int32_t skewguard_error_kind_of(const skewguard_error* error);
/* One of its texts, valid as long as the error; "" for NULL or an unknown `which`. */
const char* skewguard_error_text_of(const skewguard_error* error, int32_t which);
void skewguard_error_free(skewguard_error* error);

/* ---- Clocks and answers ---- */

/* One reading of all local clocks, in nanoseconds. All zero = not read. */
typedef struct skewguard_moment {
  int64_t boot;      /* CLOCK_BOOTTIME */
  int64_t wall;      /* CLOCK_REALTIME, since 1970 */
  int64_t monotonic; /* CLOCK_MONOTONIC */
  int64_t raw;       /* CLOCK_MONOTONIC_RAW */
  int64_t gap;       /* how far apart the readings may be, >= 0 */
} skewguard_moment;

/* Reads the clocks now: as close to the socket as possible, for the fields of skewguard_answer. */
void skewguard_read_clocks(skewguard_moment* now);

/* One HTTP header field. Names are compared ignoring case. */
typedef struct skewguard_field {
  const char* name;
  size_t name_size;
  const char* value;
  size_t value_size;
} skewguard_field;

/* An HTTP answer that the program's own HTTP stack received. */
typedef struct skewguard_answer {
  size_t size;                   /* sizeof(skewguard_answer) */
  const skewguard_field* fields; /* all of the answer's fields; Date, WWW-Authenticate and
                                    Retry-After are the ones that matter most */
  size_t field_count;
  const void* body; /* of an error as much as there is, of any other answer nothing is needed; what
                       follows the first 64 KiB is ignored */
  size_t body_size;
  const char* origin;    /* scheme://host:port that answered, if it may be another than the API's
                            (after a redirect); NULL = the API's */
  uint64_t connection;   /* the same number = the same connection; 0 = unknown */
  skewguard_moment sent; /* just before the request was written; zero = when it was handed out
                            (SKEWGUARD_SEND); of a request with a lease: not known, so that
                            its Date is not used */
  skewguard_moment received; /* as soon as the answer began; zero = now */
  int32_t status;            /* 200 to 999 */
  int32_t reserved;          /* 0 */
} skewguard_answer;

/* ---- Clients ---- */

/*
 * A client: one identity against one API. `keys` and `values` are settings by the names that a
 * profile has (docs/guide/settings.md): "region", "client_id", "client_secret", "login_url",
 * "timeout" ("30s"), ...; "token_params" ("name=value") may be repeated, "config" and "profile"
 * select the profile. They override the environment and the profile file, from which all other
 * settings come. Nothing is sent, no thread is started. NULL and *error (`config`) if a name is
 * unknown, a value is wrong or something is missing.
 */
skewguard_client* skewguard_client_new(const char* const* keys, const char* const* values,
                                       size_t count, skewguard_error** error);
/* Reads the secrets again from where the settings came from. 0, or the kind of the error. */
int32_t skewguard_client_reload(skewguard_client* client, skewguard_error** error);
/* The API base URL in use: "https://api.mypurecloud.ie". "" for NULL. Valid as long as the client.
 */
const char* skewguard_client_api_url(const skewguard_client* client);
/*
 * Ends the client's thread. Calls in progress end with `cancelled`; their handles stay valid and
 * are freed as usual. May be called while other threads wait in skewguard_call_next.
 */
void skewguard_client_free(skewguard_client* client);

/* ---- The fast path: a lease before the request, a look at the answer after it ---- */

/*
 * The value of the Authorization header that may be sent now ("Bearer ..."), as snprintf would
 * write it: returns its length without the zero byte, and writes nothing but a zero byte if `size`
 * is not greater than that. 0 = there is no token that may be sent: begin a guarded call.
 * *generation (may be NULL) names the token, for the functions below: 1, 2, ...; 0 if there is
 * none. No lock and no allocation while the token stays the same.
 */
size_t skewguard_lease(skewguard_client* client, char* buffer, size_t size, uint64_t* generation);

enum skewguard_observed {
  SKEWGUARD_NOTED = 0, /* nothing more to do */
  SKEWGUARD_JUDGE = 1  /* it may be about the token: skewguard_guard_begin_with */
};
/*
 * What came of a request that was sent with a lease. Call it for each answer; only its head is
 * looked at. Never waits. An answer of another origin than the API's is ignored: SKEWGUARD_NOTED.
 */
int32_t skewguard_observe(skewguard_client* client, uint64_t generation,
                          const skewguard_answer* answer);

/* ---- Queues: many calls, one descriptor ---- */

/*
 * A queue of the tags of calls that have something new: any number of them, with one descriptor.
 * NULL and *error (`unavailable`) if there is no descriptor left.
 */
skewguard_queue* skewguard_queue_new(skewguard_error** error);
/*
 * Its descriptor: readable (poll, epoll, asyncio) as long as the queue holds a tag. Do not read,
 * write or close it.
 */
int skewguard_queue_fd(const skewguard_queue* queue);
/*
 * Moves up to `count` tags into `tags`, oldest first; returns how many. Never waits. A call that is
 * freed takes its tags out of the queue.
 */
size_t skewguard_queue_pop(skewguard_queue* queue, uint64_t* tags, size_t count);
/* Closes the descriptor. Calls that refer to it go on without it. */
void skewguard_queue_free(skewguard_queue* queue);

/* ---- Calls ---- */

/* What a guarded call must not do (flags, added up). */
enum skewguard_guard_flag {
  SKEWGUARD_NOT_REPLAYABLE = 1, /* the body cannot be sent again: the answer is judged, a refused
                                   token is replaced for later calls, and the call ends with the
                                   answer at hand */
  SKEWGUARD_NO_RATE_WAIT = 2,   /* a 429 is not waited out */
  SKEWGUARD_NO_ERROR_RETRY = 4, /* no second try after 502, 503, 504 or a broken connection */
  SKEWGUARD_UNLIMITED_SENDS = 8 /* the deadline does not limit a send under way */
};

/*
 * A call whose requests the program sends itself, with any HTTP stack: ask skewguard_call_next,
 * and answer each SKEWGUARD_SEND with skewguard_call_answer or skewguard_call_fail. GET and HEAD
 * may be sent again after a broken connection; any other `method`, or NULL, only if the API has
 * certainly done nothing. `path` is relative to the API base URL. `timeout`: of the whole call; -1
 * = the client's. `queue` may be NULL; otherwise it gets `tag` whenever skewguard_call_next has
 * something new to say. NULL and *error only if the arguments cannot be used (`config`) or memory
 * is short (`unavailable`); all else is an error of the call.
 */
skewguard_call* skewguard_guard_begin(skewguard_client* client, const char* method,
                                      const char* path, int32_t flags, int64_t timeout,
                                      skewguard_queue* queue, uint64_t tag,
                                      skewguard_error** error);
/* The same, beginning with an answer that is already there, to a request with a lease. */
skewguard_call* skewguard_guard_begin_with(skewguard_client* client, const char* method,
                                           const char* path, int32_t flags, int64_t timeout,
                                           uint64_t generation, const skewguard_answer* answer,
                                           skewguard_queue* queue, uint64_t tag,
                                           skewguard_error** error);
/* A call that the library sends itself. It never asks for a send. At most 64 MiB of body. */
skewguard_call* skewguard_request_begin(skewguard_client* client, const char* method,
                                        const char* path, const skewguard_field* fields,
                                        size_t field_count, const void* body, size_t body_size,
                                        int64_t timeout, skewguard_queue* queue, uint64_t tag,
                                        skewguard_error** error);
enum skewguard_token_flag {
  SKEWGUARD_FORCE_REFRESH = 1, /* a new token, whatever is left of the old one */
  SKEWGUARD_UNVERIFIED = 2     /* at once, even if the API may not accept it yet */
};
/* A token that the API accepts now, and for at least `min_life` (>= 0). */
skewguard_call* skewguard_token_begin(skewguard_client* client, int64_t min_life, int32_t flags,
                                      skewguard_queue* queue, uint64_t tag,
                                      skewguard_error** error);
/* What the client knows now about the clocks: skewguard_call_clock. Nothing is sent. */
skewguard_call* skewguard_status_begin(skewguard_client* client, skewguard_queue* queue,
                                       uint64_t tag, skewguard_error** error);

enum skewguard_next {
  SKEWGUARD_WAITING = 0, /* nothing yet */
  SKEWGUARD_SEND = 1,    /* send the request with skewguard_call_authorization */
  SKEWGUARD_DONE = 2     /* the results are there */
};
/*
 * What to do next: SKEWGUARD_WAITING, SKEWGUARD_SEND or SKEWGUARD_DONE. Waits up to `wait` for
 * something other than SKEWGUARD_WAITING; 0 = does not wait, -1 = as long as it takes (the call's
 * deadline bounds it). Signals do not end the wait: a language with its own signal handling waits
 * on the queue's descriptor instead.
 */
int32_t skewguard_call_next(skewguard_call* call, int64_t wait);
/* Which send is asked for: 1, 2, ...; 0 before the first. */
int32_t skewguard_call_send_number(const skewguard_call* call);
/* The Authorization value for this send; "" unless SKEWGUARD_SEND is due. Valid until it is
 * answered, or the call is freed. */
const char* skewguard_call_authorization(const skewguard_call* call);
/* How long this send may still take, >= 0; INT64_MAX with SKEWGUARD_UNLIMITED_SENDS. */
int64_t skewguard_call_time_left(const skewguard_call* call);
/*
 * The answer to this send, which is copied. 0, or SKEWGUARD_CONFIG if it cannot be used (a wrong
 * size or status) or no send was handed out. If the call has ended meanwhile, it is ignored.
 */
int32_t skewguard_call_answer(skewguard_call* call, const skewguard_answer* answer,
                              skewguard_error** error);
enum skewguard_failure {
  SKEWGUARD_FAILED_RESET = 1,     /* the connection broke before the answer began */
  SKEWGUARD_FAILED_REFUSED = 2,   /* no connection: nothing was sent */
  SKEWGUARD_FAILED_DNS = 3,       /* the name does not resolve: nothing was sent */
  SKEWGUARD_FAILED_TIMEOUT = 4,   /* the stack's own time-out */
  SKEWGUARD_FAILED_TLS = 5,       /* the handshake failed: nothing was sent */
  SKEWGUARD_FAILED_TRUNCATED = 6, /* the connection broke in the middle of the answer */
  SKEWGUARD_FAILED_OTHER = 7      /* the program gives up: the call ends with `cancelled` */
};
/* Why this send has no answer; `reason` (may be NULL): in plain words without secrets. Returns like
 * skewguard_call_answer. */
int32_t skewguard_call_fail(skewguard_call* call, int32_t failure, const char* reason,
                            skewguard_error** error);
/*
 * Ends the call with `cancelled`, unless it is done; skewguard_call_next says when. A call of
 * skewguard_status_begin ends by itself at once.
 */
void skewguard_call_cancel(skewguard_call* call);
/* Cancels the call if it is not done. */
void skewguard_call_free(skewguard_call* call);

/* ---- Results, once SKEWGUARD_DONE; valid until the call is freed ---- */

/*
 * Why the call failed; NULL if it did not. With an HTTP status (below) the answer is there all the
 * same: a 401 that could not be cured, for example. Belongs to the call.
 */
const skewguard_error* skewguard_call_error(const skewguard_call* call);
/* The HTTP status of the API's last answer; 0 if there is none. */
int32_t skewguard_call_status(const skewguard_call* call);
enum skewguard_result {
  SKEWGUARD_RESULT_BODY = 1,   /* of the answer; of a guarded call at most 64 KiB */
  SKEWGUARD_RESULT_REPORT = 2, /* JSON, skewguard.report/1; none if there was no call to the API,
                                  as for most tokens */
  SKEWGUARD_RESULT_TOKEN = 3,  /* of skewguard_token_begin: a secret */
  SKEWGUARD_RESULT_TOKEN_TYPE = 4, /* "Bearer" */
  SKEWGUARD_RESULT_VERDICT = 5     /* of the first rejection; "ok" if there was none */
};
/* One of the results and its size; NULL and 0 if there is none. Zero-terminated as well. */
const char* skewguard_call_bytes(const skewguard_call* call, int32_t which, size_t* size);
/* The i-th header field of the answer into *field; 0 if there is none. */
int32_t skewguard_call_field(const skewguard_call* call, size_t i, skewguard_field* field);
/* The remaining life of the token of skewguard_token_begin, >= 0. */
int64_t skewguard_call_token_life(const skewguard_call* call);

/* What is known about one server's clock: server minus local wall clock. */
typedef struct skewguard_clock {
  const char* server; /* scheme://host:port */
  int64_t low;        /* of the interval that contains the offset; positive = server ahead */
  int64_t high;
  uint64_t samples; /* Dates taken for it */
  int32_t known;    /* 0: low and high are not known */
  int32_t reserved; /* 0 */
} skewguard_clock;
/* The i-th clock of skewguard_status_begin into *clock; 0 if there is none. */
int32_t skewguard_call_clock(const skewguard_call* call, size_t i, skewguard_clock* clock);

/* ---- Events: log lines, rejections, calls that met one ---- */

enum skewguard_event_kind {
  SKEWGUARD_EVENT_LOG = 1,
  SKEWGUARD_EVENT_REJECTION = 2, /* as it arrives; its verdict is provisional */
  SKEWGUARD_EVENT_RESOLVED = 4   /* a call that met a rejection has ended */
};
enum skewguard_log_level {
  SKEWGUARD_TRACE = 0,
  SKEWGUARD_DEBUG = 1,
  SKEWGUARD_INFO = 2,
  SKEWGUARD_WARN = 3,
  SKEWGUARD_ERROR = 4,
  SKEWGUARD_CRITICAL = 5
};
/*
 * From now on keeps events of these kinds (added up), and log lines from `level` on: at most 1,024
 * events, then the oldest are dropped and counted. 0 = none: those that are there are dropped.
 * Until this is called a client keeps log lines from SKEWGUARD_WARN on. `queue` may be NULL;
 * otherwise it gets `tag` when there are events and the last skewguard_event_next found none, and
 * at once if there are some now.
 */
void skewguard_listen(skewguard_client* client, int32_t kinds, int32_t level,
                      skewguard_queue* queue, uint64_t tag);
/* The oldest event, or NULL. Never waits. */
skewguard_event* skewguard_event_next(skewguard_client* client);
int32_t skewguard_event_kind_of(const skewguard_event* event);
/* The level of a log line; SKEWGUARD_WARN for other events, SKEWGUARD_TRACE for NULL. */
int32_t skewguard_event_level(const skewguard_event* event);
/* How many events were dropped just before this one. */
uint64_t skewguard_event_dropped(const skewguard_event* event);
enum skewguard_event_text {
  SKEWGUARD_EVENT_MESSAGE = 1,        /* one plain sentence */
  SKEWGUARD_EVENT_VERDICT = 2,        /* "" if it is about none */
  SKEWGUARD_EVENT_SERVER = 3,         /* scheme://host:port; "" if about none */
  SKEWGUARD_EVENT_CORRELATION_ID = 4, /* the server's; may be "" */
  SKEWGUARD_EVENT_REPORT = 5          /* JSON: the attempt of a rejection, the report of a call */
};
/* One of its texts, valid as long as the event; never NULL. */
const char* skewguard_event_text_of(const skewguard_event* event, int32_t which);
void skewguard_event_free(skewguard_event* event);

/* ---- The estimator by itself ---- */

/*
 * Bounds for one server's clock from the Date fields of its answers. `staleness`: how late a Date
 * may be, 0 to 1 h; -1 = 1 s. NULL if it is none of these, or memory is short.
 */
skewguard_estimator* skewguard_estimator_new(int64_t staleness);
/*
 * One answer: its Date field, and the local clocks just before the request and as soon as the
 * answer began. 0, or SKEWGUARD_CONFIG if it is no sample of a clock: *error says why.
 */
int32_t skewguard_estimator_observe(skewguard_estimator* estimator, const char* date,
                                    const skewguard_moment* sent, const skewguard_moment* received,
                                    skewguard_error** error);
/*
 * The interval that contains server minus local wall clock at `now`. 1, or 0 if nothing is known:
 * then *low and *high are left alone.
 */
int32_t skewguard_estimator_bounds(const skewguard_estimator* estimator,
                                   const skewguard_moment* now, int64_t* low, int64_t* high);
void skewguard_estimator_free(skewguard_estimator* estimator);

/* ---- Names ---- */

enum skewguard_names {
  SKEWGUARD_NAMES_ERROR_KIND = 1, /* "config", "credentials", ... */
  SKEWGUARD_NAMES_LOG_LEVEL = 2   /* "trace", "debug", ... */
};
/* The name of a number; "" if there is none. */
const char* skewguard_name(int32_t names, int32_t value);

#ifdef __cplusplus
}
#endif
#endif
