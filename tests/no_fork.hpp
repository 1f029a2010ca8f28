#pragma once

/// SKEWGUARD_NO_FORK: leave out tests whose forked child has threads. ThreadSanitizer allows none
/// in a process forked from one with threads.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SKEWGUARD_NO_FORK
#endif
#endif
