// The conditions that a call's arrays and numbers must meet, and the words in which they are refused. Knows no launch.
#pragma once
#include "spak/runtime/device.h"
#include "view.h"

#pragma GCC visibility push(hidden)
namespace spak::runtime {

constexpr long long kUnbound = -1;
constexpr int kMaxRank = 16;

// "matmul: b <what>; signature: matmul(...)".
[[noreturn]] void refuse(const Kernel& kernel, PyObject* type, const std::string& what);
[[noreturn]] void refuse(const Kernel& kernel, PyObject* type, const char* name, const std::string& what);

// Gets at an array by the first language that it speaks. Throws Refused.
void acquire(const Kernel& kernel, const Tensor& tensor, const char* name, PyObject* object, void* stream, View& view);

// dtype, rank, device and alignment. `name` is the argument's ("a", "out").
void check_array(const Kernel& kernel, const Tensor& tensor, const char* name, PyObject* object, const View& view);

// Reads axes off an array, and compares those that are known: `owners[i]` is who gave axis i its value.
void bind_axes(const Kernel& kernel, const Tensor& tensor, const char* name, const View& view, long long* axes,
               const char** owners);

// Extents and strides that are expressions, and density. `values` are those of Kernel::evaluate.
void check_layout(const Kernel& kernel, const Tensor& tensor, const char* name, const View& view, const long long* axes,
                  const long long* values);

// A result must not share memory with an input, or with another result.
void check_overlap(const Kernel& kernel, const Tensor& tensor, const char* name, const View& out,
                   const char* other_name, const View& other);

// A number of the declared dtype. Throws Refused where it is none, or does not fit.
Value scalar_value(const Kernel& kernel, const Scalar& scalar, PyObject* object);

// What an extent or a stride must be.
inline long long required(const Extent& extent, const long long* axes, const long long* values) {
  return extent.axis >= 0 ? axes[extent.axis] : values[extent.expression];
}

}  // namespace spak::runtime
#pragma GCC visibility pop
