// What a generated launcher tells the runtime about its kernel: static tables, in the words of the spec. Knows no Python.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#pragma GCC visibility push(hidden)
namespace spak::runtime {

enum class DType : std::uint8_t { f64, f32, tf32, f16, bf16, i32, i8, u8, boolean, unknown };

constexpr std::size_t itemsize(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return 8;
    case DType::f32:
    case DType::tf32:
    case DType::i32:
      return 4;
    case DType::f16:
    case DType::bf16:
      return 2;
    default:
      return 1;
  }
}

enum class Layout : std::uint8_t { row, col, strided };

// One extent or stride of a tensor: an axis by index, or (axis < 0) the expression at `expression` of Kernel::evaluate.
struct Extent {
  short axis;
  short expression;
  const char* words;
};

struct Tensor {
  const char* name;
  const char* words;  // "f32[M, K]"
  DType dtype;
  Layout layout;
  std::uint8_t rank;
  const Extent* shape;
  const Extent* strides;  // in elements; only for Layout::strided
};

struct Scalar {
  const char* name;
  DType dtype;
  bool has_default;
  double default_real;        // for floating dtypes
  long long default_integer;  // for the others
};

union Value {
  double real;
  long long integer;
};

// A parameter in call order: the `index`th input tensor, or the `index`th scalar.
struct Parameter {
  const char* name;
  bool tensor;
  short index;
};

// The sizes and numbers of one call.
struct Problem {
  const long long* axes;
  const Value* scalars;
};

// Pointers of one call, inputs before results, and where to run.
struct Call {
  Problem problem;
  void* const* tensors;
  void* stream;  // a CUstream on CUDA
  int device;    // ordinal
};

struct DeviceOps;  // device.h: what the runtime needs of a device that is not the host

struct Kernel {
  const char* module;     // "matmul_cpu"
  const char* name;       // "matmul"
  const char* signature;  // "matmul(a: f32[M, K], b: f32[K, N], alpha: f32 = 1.0) -> c: f32[M, N]"
  const char* doc;        // "matmul(a, b, alpha=1.0, *, out=None)\n--\n\n..." : __text_signature__, then __doc__
  const char* facts;      // JSON, as __spak__
  const Parameter* parameters;
  int parameter_count;
  const Tensor* tensors;  // inputs, then results
  int input_count;
  int result_count;
  const Scalar* scalars;
  int scalar_count;
  const char* const* axes;
  int axis_count;
  int expression_count;
  void (*evaluate)(const Problem&, long long* values);  // every Extent that is an expression
  int (*violated)(const Problem&);                      // index of the first `require` that does not hold, or -1
  const char* const* require;                           // their words
  void (*launch)(const Call&);
  const DeviceOps* device;  // null: the host
  // What the simulator has found, and counted, since the last call, as JSON; null where nobody looks.
  std::string (*findings)();
  std::string (*counters)();
};

}  // namespace spak::runtime
#pragma GCC visibility pop
