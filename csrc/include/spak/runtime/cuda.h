// Loads cubins and launches kernels through the driver, which is opened at the first launch. Knows no Python and no plan.
#pragma once
#include <cstddef>

#include "spak/runtime/device.h"
#include "spak/runtime/tensor_map.h"

#pragma GCC visibility push(hidden)
namespace spak::runtime::cuda {

// Machine code of one module. `ptx` may be empty; it is used where the cubin does not fit the device.
struct Image {
  const char* module;
  const char* arch;  // "sm_90a"
  const unsigned char* cubin;
  std::size_t cubin_size;
  const unsigned char* ptx;
  std::size_t ptx_size;
  const char* const* kernels;
  int kernel_count;
};

struct Config {
  long long grid[3];
  long long block[3];
  long long smem_bytes;
  int cluster[3];
};

// Enqueues kernel `index` of `image` on `call.stream`. `parameters` point at the arguments. Throws std::runtime_error in
// words: no driver, no such device, no code for it, a launch that the driver refuses.
void launch(const Image& image, int index, const Config& config, void** parameters, const Call& call);

// The descriptor of a tensor map. Throws std::runtime_error in words for what the driver refuses.
EncodedMap encode(const TensorMap& map);

// Stream-ordered scratch memory, for the launches of one call.
class Workspace {
 public:
  Workspace(long long bytes, bool zero, const Call& call);
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  void* data() const { return data_; }

 private:
  void* data_ = nullptr;
  const Call& call_;
};

}  // namespace spak::runtime::cuda
#pragma GCC visibility pop
