#pragma once

#include <cstddef>

/// How many allocations (operator new) this program has made.
std::size_t allocations() noexcept;
