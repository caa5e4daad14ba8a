// What a function of the runtime API answers that is not modelled. Knows nothing of which these are.
#pragma once
#include <driver_types.h>

namespace spak::sim::host {

// Reports an `unsupported` finding at the caller; cudaErrorNotSupported, or the error that the context is broken by.
cudaError_t not_modelled(const char* function, const void* place);

}  // namespace spak::sim::host
