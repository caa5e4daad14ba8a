// Before a header of the toolkit: for it, this is a host compiler. Included again and again, on purpose without a guard;
// toolkit_end.h undoes it. Knows nothing of any header.
#pragma push_macro("__CUDACC__")
#pragma push_macro("__CUDA_ARCH__")
#pragma push_macro("__CUDA_INCLUDE_COMPILER_INTERNAL_HEADERS__")
#undef __CUDACC__
#undef __CUDA_ARCH__
#undef __CUDA_INCLUDE_COMPILER_INTERNAL_HEADERS__
#define __CUDA_INCLUDE_COMPILER_INTERNAL_HEADERS__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wattributes"
