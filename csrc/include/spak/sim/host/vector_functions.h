// <vector_functions.h>: the toolkit's, which includes the whole runtime API: ours must come first. Knows nothing else.
#pragma once
#include <cuda_runtime_api.h>
#include_next <vector_functions.h>

#include "toolkit_begin.h"
#include "toolkit_end.h"
