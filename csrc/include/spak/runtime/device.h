// What the runtime needs of a device that is not the host. Knows no driver.
#pragma once
#include "spak/runtime/descriptor.h"

extern "C" {
struct _object;  // PyObject
}

#pragma GCC visibility push(hidden)
namespace spak::runtime {

struct DeviceOps {
  const char* name;  // "CUDA"
  // A new array for a result, where no framework allocates one. Throws what the runtime turns into Python exceptions.
  _object* (*result_array)(const Tensor& tensor, const long long* shape, const long long* strides, int device);
};

namespace cuda {
extern const DeviceOps device_ops;
}

}  // namespace spak::runtime
#pragma GCC visibility pop
