#pragma once

/// Opens the public namespace: what is declared in it leaves the shared library, all else is
/// hidden. asio.hpp stands outside: Boost's types do not cross the library's border.
#define SKEWGUARD_API [[gnu::visibility("default")]]
