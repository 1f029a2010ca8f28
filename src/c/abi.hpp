#pragma once

// The public header with its functions exported: everything else in the library is hidden. It has
// no macro for that, so that other languages' tools can read it as it is.
#pragma GCC visibility push(default)
#include "skewguard/skewguard.h"
#pragma GCC visibility pop
