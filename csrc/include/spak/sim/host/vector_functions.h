// <vector_functions.h>: the toolkit's, which includes the whole runtime API: ours must come first. Knows nothing else.
#pragma once
// clang-format off: the order matters
#include <cuda_runtime_api.h>
#include "toolkit_begin.h"
#include_next <vector_functions.h>
#include "toolkit_end.h"
