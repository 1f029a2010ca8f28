#pragma once

/// Opens the public namespace: its declarations are exported from the shared library; everything
/// else is hidden. asio.hpp is not part of it: Boost's types do not cross the library's boundary.
#define SKEWGUARD_API [[gnu::visibility("default")]]
