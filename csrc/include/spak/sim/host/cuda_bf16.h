// <cuda_bf16.h>: the toolkit's own header, and what it keeps for devices. Knows nothing of the engine.
#pragma once
#include_next <cuda_bf16.h>
#include <spak/sim/builtins.h>
#include <spak/sim/half.h>

#include "toolkit_begin.h"
#include "toolkit_end.h"
