// <cuda_fp8.h>: the toolkit's own header, as a host compiler sees it. Knows nothing of the engine.
#pragma once
// clang-format off: the order matters
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include "toolkit_begin.h"
#include_next <cuda_fp8.h>
#include "toolkit_end.h"
