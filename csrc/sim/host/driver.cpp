// The few functions of the driver that programs on top of the runtime use: tensor maps, by name or linked. Knows nothing of
// contexts and modules.
#include <cuda.h>
#include <cuda_runtime_api.h>

#include <cstring>

#include "engine/finding.h"
#include "host/call.h"
#include "spak/sim/model/tensor_map.h"

using namespace spak::sim::host;

extern "C" CUresult CUDAAPI cuTensorMapEncodeTiled(CUtensorMap* map, CUtensorMapDataType type, cuuint32_t rank,
                                                   void* base, const cuuint64_t* dims, const cuuint64_t* strides,
                                                   const cuuint32_t* box, const cuuint32_t* element_strides,
                                                   CUtensorMapInterleave interleave, CUtensorMapSwizzle swizzle,
                                                   CUtensorMapL2promotion promotion, CUtensorMapFloatOOBfill fill) {
  const Call call(__func__, __builtin_return_address(0));
  const std::string wrong = spak::sim::try_encode_tensor_map(map, type, rank, base, dims, strides, box, element_strides,
                                                             interleave, swizzle, promotion, fill);
  if (wrong.empty()) return CUDA_SUCCESS;
  spak::sim::report({"bad-tensor-map", "cuTensorMapEncodeTiled: " + wrong, "", {{"called", call.place(), "", ""}}});
  deliver();
  return CUDA_ERROR_INVALID_VALUE;
}

extern "C" CUresult CUDAAPI cuInit(unsigned) { return CUDA_SUCCESS; }

extern "C" CUresult CUDAAPI cuDriverGetVersion(int* version) {
  return cudaDriverGetVersion(version) == cudaSuccess ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

extern "C" CUresult CUDAAPI cuGetErrorString(CUresult error, const char** text) {
  if (!text) return CUDA_ERROR_INVALID_VALUE;
  *text = cudaGetErrorString(static_cast<cudaError_t>(error));
  return CUDA_SUCCESS;
}

extern "C" CUresult CUDAAPI cuGetErrorName(CUresult error, const char** text) {
  if (!text) return CUDA_ERROR_INVALID_VALUE;
  *text = error == CUDA_SUCCESS               ? "CUDA_SUCCESS"
          : error == CUDA_ERROR_INVALID_VALUE ? "CUDA_ERROR_INVALID_VALUE"
                                              : "CUDA_ERROR_UNKNOWN";
  return CUDA_SUCCESS;
}

namespace {

cudaError_t entry_point(const Call& call, const char* symbol, void** function,
                        cudaDriverEntryPointQueryResult* result) {
  if (!symbol || !function) return call(cudaErrorInvalidValue);
  const struct {
    const char* name;
    void* function;
  } known[] = {
      {"cuTensorMapEncodeTiled", reinterpret_cast<void*>(cuTensorMapEncodeTiled)},
      {"cuInit", reinterpret_cast<void*>(cuInit)},
      {"cuGetErrorString", reinterpret_cast<void*>(cuGetErrorString)},
      {"cuGetErrorName", reinterpret_cast<void*>(cuGetErrorName)},
      {"cuDriverGetVersion", reinterpret_cast<void*>(cuDriverGetVersion)},
  };
  *function = nullptr;
  for (const auto& each : known)
    if (std::strcmp(each.name, symbol) == 0) *function = each.function;
  if (result) *result = *function ? cudaDriverEntryPointSuccess : cudaDriverEntryPointSymbolNotFound;
  return *function ? cudaSuccess
                   : call.unsupported(std::string("the driver's function ") + symbol + " is not modelled");
}

}  // namespace

extern "C" cudaError_t cudaGetDriverEntryPoint(const char* symbol, void** function, unsigned long long,
                                               cudaDriverEntryPointQueryResult* result) {
  SPAK_API;
  return entry_point(call, symbol, function, result);
}

extern "C" cudaError_t cudaGetDriverEntryPointByVersion(const char* symbol, void** function, unsigned,
                                                        unsigned long long, cudaDriverEntryPointQueryResult* result) {
  SPAK_API;
  return entry_point(call, symbol, function, result);
}
