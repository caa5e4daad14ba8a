// <cuda.h>: the toolkit's declarations of the driver's functions, of which csrc/sim/host/driver.cpp defines a few. Knows
// nothing of the runtime API.
#pragma once
// clang-format off: the order matters
#include "toolkit_begin.h"
#include_next <cuda.h>
#include "toolkit_end.h"
