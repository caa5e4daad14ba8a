// A stand-in for libcuda.so.1 where there is no GPU, compiled against the toolkit's own cuda.h: its prototypes and structures
// judge ours. Device memory is host memory; a launch is written to the file $FAKE_CUDA_LOG instead of being run.
#include <cuda.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

static FILE* log_file() {
  static FILE* file = std::fopen(std::getenv("FAKE_CUDA_LOG"), "w");
  return file;
}
static CUcontext current = nullptr;

#define SAY(...) (std::fprintf(log_file(), __VA_ARGS__), std::fflush(log_file()))

extern "C" {
CUresult cuInit(unsigned) { return CUDA_SUCCESS; }
CUresult cuGetErrorString(CUresult code, const char** text) {
  *text = code == CUDA_ERROR_NO_BINARY_FOR_GPU ? "no kernel image is available for execution on the device" : "some error";
  return CUDA_SUCCESS;
}
CUresult cuDeviceGetCount(int* count) { return *count = 1, CUDA_SUCCESS; }
CUresult cuDeviceGet(CUdevice* device, int ordinal) { return *device = ordinal, ordinal == 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE; }
CUresult cuDeviceGetName(char* name, int length, CUdevice) { return std::snprintf(name, length, "Fake"), CUDA_SUCCESS; }
CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute attribute, CUdevice) {
  *value = attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR ? 9 : 0;
  return CUDA_SUCCESS;
}
CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice) { return *context = reinterpret_cast<CUcontext>(0x10), CUDA_SUCCESS; }
CUresult cuCtxGetCurrent(CUcontext* context) { return *context = current, CUDA_SUCCESS; }
CUresult cuCtxGetDevice(CUdevice* device) { return *device = 0, CUDA_SUCCESS; }
CUresult cuCtxPushCurrent(CUcontext context) { return current = context, CUDA_SUCCESS; }
CUresult cuCtxPopCurrent(CUcontext* context) { return *context = current, current = nullptr, CUDA_SUCCESS; }
CUresult cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned, CUjit_option*, void**) {
  const bool elf = std::memcmp(image, "\x7f" "ELF", 4) == 0;
  SAY("load %s\n", elf ? "cubin" : std::strstr(static_cast<const char*>(image), ".target") ? "ptx" : "unknown");
  *module = reinterpret_cast<CUmodule>(0x20);
  return elf && std::getenv("FAKE_CUDA_REFUSES") ? CUDA_ERROR_NO_BINARY_FOR_GPU : CUDA_SUCCESS;
}
CUresult cuModuleGetFunction(CUfunction* function, CUmodule, const char* name) {
  *function = reinterpret_cast<CUfunction>(strdup(name));
  return CUDA_SUCCESS;
}
CUresult cuFuncSetAttribute(CUfunction function, CUfunction_attribute attribute, int value) {
  const char* what = attribute == CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES ? "smem" : attribute == CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED ? "wide" : "?";
  return SAY("allow %s %s %d\n", reinterpret_cast<const char*>(function), what, value), CUDA_SUCCESS;
}
CUresult cuLaunchKernelEx(const CUlaunchConfig* c, CUfunction function, void** parameters, void** extra) {
  SAY("launch %s grid %u %u %u block %u %u %u smem %u stream %p", reinterpret_cast<const char*>(function), c->gridDimX, c->gridDimY,
      c->gridDimZ, c->blockDimX, c->blockDimY, c->blockDimZ, c->sharedMemBytes, reinterpret_cast<void*>(c->hStream));
  for (unsigned i = 0; i < c->numAttrs; ++i)
    if (c->attrs[i].id == CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION)
      SAY(" cluster %u %u %u", c->attrs[i].value.clusterDim.x, c->attrs[i].value.clusterDim.y, c->attrs[i].value.clusterDim.z);
  if (std::strcmp(reinterpret_cast<const char*>(function), "tiles") == 0) {
    const auto* map = static_cast<const unsigned char*>(parameters[0]);
    SAY(" map %d %d", map[0] == 0x5a, map[sizeof(CUtensorMap) - 1] == 0x5a);
  }
  SAY(" context %d extra %d size %lld alpha %g\n", current != nullptr, extra != nullptr, *static_cast<long long*>(parameters[1]),
      static_cast<double>(*static_cast<float*>(parameters[2])));
  return c->blockDimX > 1024 ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}
CUresult cuTensorMapEncodeTiled(CUtensorMap* map, CUtensorMapDataType type, cuuint32_t rank, void* address, const cuuint64_t* dims,
                                const cuuint64_t* strides, const cuuint32_t* box, const cuuint32_t* steps,
                                CUtensorMapInterleave interleave, CUtensorMapSwizzle swizzle, CUtensorMapL2promotion promotion,
                                CUtensorMapFloatOOBfill fill) {
  const char* type_name = type == CU_TENSOR_MAP_DATA_TYPE_BFLOAT16 ? "bf16" : type == CU_TENSOR_MAP_DATA_TYPE_FLOAT32 ? "f32" : "?";
  SAY("map %s at %p dims", type_name, address);
  for (cuuint32_t i = 0; i < rank; ++i) SAY(" %llu", static_cast<unsigned long long>(dims[i]));
  SAY(" strides");
  for (cuuint32_t i = 0; i + 1 < rank; ++i) SAY(" %llu", static_cast<unsigned long long>(strides[i]));
  SAY(" box");
  for (cuuint32_t i = 0; i < rank; ++i) SAY(" %u/%u", box[i], steps[i]);
  SAY(" plain %d swizzle128 %d fetch128 %d nan %d aligned %d\n", interleave == CU_TENSOR_MAP_INTERLEAVE_NONE, swizzle == CU_TENSOR_MAP_SWIZZLE_128B,
      promotion == CU_TENSOR_MAP_L2_PROMOTION_L2_128B, fill == CU_TENSOR_MAP_FLOAT_OOB_FILL_NAN_REQUEST_ZERO_FMA,
      reinterpret_cast<size_t>(map) % 64 == 0);
  return std::memset(map, 0x5a, sizeof *map), box[0] == 24 ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}
CUresult cuMemAlloc(CUdeviceptr* address, size_t bytes) { return SAY("alloc\n"), *address = reinterpret_cast<CUdeviceptr>(std::malloc(bytes)), CUDA_SUCCESS; }
CUresult cuMemFree(CUdeviceptr address) { return SAY("free\n"), std::free(reinterpret_cast<void*>(address)), CUDA_SUCCESS; }
CUresult cuMemAllocAsync(CUdeviceptr* address, size_t bytes, CUstream stream) {
  return SAY("workspace %zu on %p\n", bytes, reinterpret_cast<void*>(stream)), *address = reinterpret_cast<CUdeviceptr>(std::malloc(bytes)), CUDA_SUCCESS;
}
CUresult cuMemFreeAsync(CUdeviceptr address, CUstream) { return SAY("done\n"), std::free(reinterpret_cast<void*>(address)), CUDA_SUCCESS; }
CUresult cuMemsetD8Async(CUdeviceptr, unsigned char value, size_t bytes, CUstream) { return SAY("fill %d %zu\n", value, bytes), CUDA_SUCCESS; }
}
