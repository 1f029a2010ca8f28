#pragma once

#include <cstddef>

/// How many mutexes this program has locked.
std::size_t locks() noexcept;
