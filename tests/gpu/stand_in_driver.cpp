// A stand-in for libcuda.so.1 where there is no GPU, compiled against the toolkit's cuda.h: device memory is host memory, and the
// one kernel that it knows, `axpy`, runs here. Knows nothing of real devices; what it was told goes to $STAND_IN_LOG.
#include <cuda.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

static void say(const char* format, auto... values) {
  std::FILE* file = std::fopen(std::getenv("STAND_IN_LOG"), "a");
  std::fprintf(file, format, values...);
  std::fclose(file);
}
static bool is(CUfunction function, const char* name) { return std::strcmp(reinterpret_cast<const char*>(function), name) == 0; }

extern "C" {
// NVRTC asks a driver that is there for its tables.
CUresult cuGetExportTable(const void** table, const CUuuid*) { return *table = nullptr, CUDA_ERROR_NOT_FOUND; }
CUresult cuInit(unsigned) { return CUDA_SUCCESS; }
CUresult cuGetErrorString(CUresult, const char** text) { return *text = "an error", CUDA_SUCCESS; }
CUresult cuDeviceGetCount(int* count) { return *count = 1, CUDA_SUCCESS; }
CUresult cuDeviceGet(CUdevice* device, int) { return *device = 0, CUDA_SUCCESS; }
CUresult cuDeviceGetName(char* name, int length, CUdevice) { return std::snprintf(name, length, "Stand-in"), CUDA_SUCCESS; }
CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute attribute, CUdevice) {
  return *value = attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR ? 9 : 0, CUDA_SUCCESS;
}
CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice) { return *context = reinterpret_cast<CUcontext>(16), CUDA_SUCCESS; }
CUresult cuCtxSetCurrent(CUcontext) { return CUDA_SUCCESS; }
CUresult cuCtxSynchronize() { return CUDA_SUCCESS; }
CUresult cuMemAlloc(CUdeviceptr* address, size_t bytes) {
  return *address = reinterpret_cast<CUdeviceptr>(std::aligned_alloc(256, (bytes + 255) / 256 * 256)), CUDA_SUCCESS;
}
CUresult cuMemFree(CUdeviceptr address) { return std::free(reinterpret_cast<void*>(address)), CUDA_SUCCESS; }
CUresult cuMemcpyHtoD(CUdeviceptr to, const void* from, size_t n) { return std::memcpy(reinterpret_cast<void*>(to), from, n), CUDA_SUCCESS; }
CUresult cuMemcpyDtoH(void* to, CUdeviceptr from, size_t n) { return std::memcpy(to, reinterpret_cast<void*>(from), n), CUDA_SUCCESS; }
CUresult cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned, CUjit_option*, void**) {
  say("load %s\n", std::memcmp(image, "\x7f" "ELF", 4) == 0 ? "cubin" : "unknown");
  return *module = reinterpret_cast<CUmodule>(32), CUDA_SUCCESS;
}
CUresult cuModuleGetFunction(CUfunction* function, CUmodule, const char* name) {
  *function = reinterpret_cast<CUfunction>(strdup(name));
  return is(*function, "axpy") ? CUDA_SUCCESS : CUDA_ERROR_NOT_FOUND;
}
CUresult cuFuncSetAttribute(CUfunction, CUfunction_attribute attribute, int value) {
  const char* what = attribute == CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES      ? "shared"
                     : attribute == CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED ? "nonportable"
                                                                                        : "?";
  return say("allow %s %d\n", what, value), CUDA_SUCCESS;
}
CUresult cuTensorMapEncodeTiled(CUtensorMap* map, CUtensorMapDataType type, cuuint32_t rank, void* address, const cuuint64_t* dims,
                                const cuuint64_t* strides, const cuuint32_t* box, const cuuint32_t* steps, CUtensorMapInterleave,
                                CUtensorMapSwizzle swizzle, CUtensorMapL2promotion, CUtensorMapFloatOOBfill) {
  std::memset(map, 0, sizeof *map);
  std::memcpy(map, &address, sizeof address);
  say("map bf16 %d rank %u dims %llu %llu stride %llu box %u %u step %u swizzle128 %d aligned %d\n", type == CU_TENSOR_MAP_DATA_TYPE_BFLOAT16,
      rank, (unsigned long long)dims[0], (unsigned long long)dims[1], (unsigned long long)strides[0], box[0], box[1], steps[1],
      swizzle == CU_TENSOR_MAP_SWIZZLE_128B, reinterpret_cast<size_t>(map) % 64 == 0);
  return CUDA_SUCCESS;
}
// axpy(const float* x, float* y, int n, float a, const CUtensorMap map): y += a x, and 1 is added to the first byte behind the map.
CUresult cuLaunchKernelEx(const CUlaunchConfig* c, CUfunction, void** parameters, void**) {
  say("launch grid %u %u %u block %u %u %u shared %u", c->gridDimX, c->gridDimY, c->gridDimZ, c->blockDimX, c->blockDimY, c->blockDimZ,
      c->sharedMemBytes);
  for (unsigned i = 0; i < c->numAttrs; ++i)
    if (c->attrs[i].id == CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION)
      say(" cluster %u %u %u", c->attrs[i].value.clusterDim.x, c->attrs[i].value.clusterDim.y, c->attrs[i].value.clusterDim.z);
  say("\n");
  const float *x = *static_cast<const float**>(parameters[0]), a = *static_cast<float*>(parameters[3]);
  float* y = *static_cast<float**>(parameters[1]);
  for (int i = 0; i < *static_cast<int*>(parameters[2]); ++i) y[i] += a * x[i];
  ++**static_cast<unsigned char**>(parameters[4]);
  return CUDA_SUCCESS;
}
}
