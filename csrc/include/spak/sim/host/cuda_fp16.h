// <cuda_fp16.h>: the toolkit's own header, and what it keeps for devices. Knows nothing of the engine.
#pragma once
// clang-format off: the order matters
#include <spak/sim/builtins.h>
#include "toolkit_begin.h"
#include_next <cuda_fp16.h>
#include "toolkit_end.h"
#include <spak/sim/half.h>
