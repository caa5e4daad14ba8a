// The part of the CUDA driver's interface that launching needs, opened at first use. Knows no kernel.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#pragma GCC visibility push(hidden)
namespace spak::runtime::cuda {

// Handles and numbers as the driver's ABI has them; declared here so that no toolkit is needed to build.
using Context = struct ContextHandle*;
using Module = struct ModuleHandle*;
using Function = struct FunctionHandle*;
using Stream = struct StreamHandle*;
using Address = unsigned long long;

struct LaunchAttribute {  // CUlaunchAttribute: the value is a union of 64 bytes
  int id;
  int pad;
  union {
    char room[64];
    unsigned cluster[3];
  };
};
static_assert(sizeof(LaunchAttribute) == 72, "as cuda.h has it");

struct LaunchConfig {  // CUlaunchConfig
  unsigned grid[3];
  unsigned block[3];
  unsigned smem_bytes;
  Stream stream;
  LaunchAttribute* attributes;
  unsigned attribute_count;
};

constexpr int kNoBinary = 209;           // CUDA_ERROR_NO_BINARY_FOR_GPU
constexpr int kClusterAttribute = 4;     // CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION
constexpr int kMaxDynamicShared = 8;     // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
constexpr int kNonPortableCluster = 14;  // CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED
constexpr int kCapabilityMajor = 75, kCapabilityMinor = 76;

struct Driver {
  int (*init)(unsigned);
  int (*error_string)(int, const char**);
  int (*device_count)(int*);
  int (*device_get)(int*, int);
  int (*device_name)(char*, int, int);
  int (*device_attribute)(int*, int, int);
  int (*primary_retain)(Context*, int);
  int (*context_get)(Context*);
  int (*context_device)(int*);
  int (*context_push)(Context);
  int (*context_pop)(Context*);
  int (*module_load)(Module*, const void*, unsigned, int*, void**);
  int (*module_function)(Function*, Module, const char*);
  int (*function_set)(Function, int, int);
  int (*launch)(const LaunchConfig*, Function, void**, void**);
  int (*allocate)(Address*, std::size_t);
  int (*release)(Address);
  int (*allocate_async)(Address*, std::size_t, Stream);
  int (*release_async)(Address, Stream);
  int (*fill_async)(Address, unsigned char, std::size_t, Stream);
  // cuTensorMapEncodeTiled; null where the driver has none, for only kernels with tensor maps need it.
  int (*encode_map)(void*, int, unsigned, void*, const std::uint64_t*, const std::uint64_t*, const std::uint32_t*,
                    const std::uint32_t*, int, int, int, int);

  // "invalid argument (1)"
  std::string words(int code) const;
  // Throws std::runtime_error "<what>: <words>" unless `code` is success.
  void check(int code, const std::string& what) const;
};

// The driver, initialised once a process. Throws std::runtime_error that says what is missing.
const Driver& driver();

// Makes a device's context current for as long as it lives: the caller's own where that is on the device, else the
// primary one, which frameworks share.
class Current {
 public:
  explicit Current(int device);
  ~Current();
  Current(const Current&) = delete;
  Current& operator=(const Current&) = delete;
  Context context() const { return context_; }

 private:
  Context context_ = nullptr;
  bool pushed_ = false;
};

// "NVIDIA H100 (sm_90)"
std::string device_words(int device);

}  // namespace spak::runtime::cuda
#pragma GCC visibility pop
