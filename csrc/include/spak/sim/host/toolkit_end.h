// After a header of the toolkit; see toolkit_begin.h. Knows nothing of any header.
#pragma GCC diagnostic pop
#pragma pop_macro("__CUDA_INCLUDE_COMPILER_INTERNAL_HEADERS__")
#pragma pop_macro("__CUDA_ARCH__")
#pragma pop_macro("__CUDACC__")
