#include "check.h"

#include <cmath>

namespace spak::runtime {
namespace {

std::string tuple_words(const std::int64_t* values, int count) {
  std::string words = "(";
  for (int i = 0; i < count; ++i) words += (i != 0 ? ", " : "") + std::to_string(values[i]);
  return words + (count == 1 ? ",)" : ")");
}

std::string shape_words(const View& view) { return "has shape " + tuple_words(view.shape, view.rank); }

std::int64_t stride_bytes(const View& view, int i) { return view.strides[i] * view.stride_unit; }

std::string strides_words(const View& view, std::size_t size) {
  std::int64_t elements[kMaxRank];
  for (int i = 0; i < view.rank; ++i) {
    elements[i] = stride_bytes(view, i) / static_cast<std::int64_t>(size);
    if (elements[i] * static_cast<std::int64_t>(size) != stride_bytes(view, i))
      return "strides that are no whole elements";
  }
  return "strides " + tuple_words(elements, view.rank);
}

bool is_empty(const View& view) {
  for (int i = 0; i < view.rank; ++i)
    if (view.shape[i] == 0) return true;
  return false;
}

// Dense in the layout's order. The stride of a dimension of one element is nobody's business.
bool is_dense(const View& view, Layout layout, std::size_t size) {
  if (view.strides == nullptr) {
    if (layout == Layout::row) return true;
    int long_dimensions = 0;
    for (int i = 0; i < view.rank; ++i) long_dimensions += view.shape[i] > 1 ? 1 : 0;
    return long_dimensions <= 1;
  }
  auto expected = static_cast<std::int64_t>(size);
  for (int k = 0; k < view.rank; ++k) {
    const int i = layout == Layout::col ? k : view.rank - 1 - k;
    if (view.shape[i] != 1 && stride_bytes(view, i) != expected) return false;
    expected *= view.shape[i];
  }
  return true;
}

struct Range {
  std::uintptr_t begin, end;
};

Range range_of(const View& view, std::size_t size) {
  const auto base = reinterpret_cast<std::uintptr_t>(view.data);
  std::int64_t low = 0, high = static_cast<std::int64_t>(size);
  if (view.strides == nullptr) {
    for (int i = 0; i < view.rank; ++i) high *= view.shape[i];
    return {base, base + static_cast<std::uintptr_t>(high)};
  }
  for (int i = 0; i < view.rank; ++i) {
    const std::int64_t reach = (view.shape[i] - 1) * stride_bytes(view, i);
    (reach < 0 ? low : high) += reach;
  }
  return {base + static_cast<std::uintptr_t>(low), base + static_cast<std::uintptr_t>(high)};
}

std::string type_name(PyObject* object) {
  return object == Py_None ? "None" : std::string("of type '") + Py_TYPE(object)->tp_name + "'";
}

}  // namespace

void refuse(const Kernel& kernel, PyObject* type, const std::string& what) {
  throw Refused{type, std::string(kernel.name) + ": " + what + "; signature: " + kernel.signature};
}

void refuse(const Kernel& kernel, PyObject* type, const char* name, const std::string& what) {
  refuse(kernel, type, std::string(name) + " " + what);
}

void acquire(const Kernel& kernel, const Tensor& tensor, const char* name, PyObject* object, void* stream, View& view) {
  try {
    if (view_numpy(object, view)) return;
    if (object != Py_None && view_dlpack(object, view, kernel.device != nullptr, stream)) return;
    if (view_buffer(object, view)) return;
    if (object != Py_None && view_array_interface(object, view)) return;
  } catch (const Refused& refused) {
    refuse(kernel, refused.type, name, refused.message);
  }
  refuse(kernel, PyExc_TypeError, name,
         "is " + type_name(object) + ", but an array is needed (" + tensor.words +
             "): anything with the buffer protocol or __dlpack__");
}

void check_array(const Kernel& kernel, const Tensor& tensor, const char* name, PyObject* object, const View& view) {
  const bool on_device = view.device_type == kCUDA || view.device_type == kCUDAManaged;
  const bool on_host = view.device_type == kCPU || view.device_type == kCUDAHost;
  if (kernel.device == nullptr ? !on_host : !(on_device && view.device_type != kCPU)) [[unlikely]] {
    const char* where = on_host     ? "in host memory"
                        : on_device ? "on a CUDA device"
                                    : "on a device that is not supported";
    refuse(kernel, PyExc_ValueError, name,
           std::string("is ") + where + ", but " + kernel.module + " runs on " +
               (kernel.device == nullptr ? "the host" : kernel.device->name));
  }
  const bool same = view.dtype == tensor.dtype || (tensor.dtype == DType::tf32 && view.dtype == DType::f32);
  if (!same) [[unlikely]] {
    refuse(kernel, PyExc_TypeError, name,
           "is " + dtype_words(object, view.dtype) + ", but must be " + tensor.words + " (nothing is converted)");
  }
  if (view.rank != tensor.rank) [[unlikely]] {
    refuse(kernel, PyExc_ValueError, name, shape_words(view) + ", but must be " + tensor.words);
  }
  if (reinterpret_cast<std::uintptr_t>(view.data) % itemsize(tensor.dtype) != 0 && !is_empty(view)) [[unlikely]] {
    refuse(kernel, PyExc_ValueError, name,
           "is misaligned: its address is no multiple of " + std::to_string(itemsize(tensor.dtype)) + " bytes");
  }
}

void bind_axes(const Kernel& kernel, const Tensor& tensor, const char* name, const View& view, long long* axes,
               const char** owners) {
  for (int i = 0; i < tensor.rank; ++i) {
    const int axis = tensor.shape[i].axis;
    if (axis < 0) continue;
    if (axes[axis] == kUnbound) {
      axes[axis] = view.shape[i];
      owners[axis] = name;
    } else if (axes[axis] != view.shape[i]) [[unlikely]] {
      refuse(kernel, PyExc_ValueError, name,
             shape_words(view) + ", but axis " + kernel.axes[axis] + " is " + std::to_string(axes[axis]) + " from " +
                 owners[axis]);
    }
  }
  if (tensor.strides == nullptr) return;
  std::int64_t dense = 1;  // what a missing strides array stands for
  for (int i = tensor.rank - 1; i >= 0; --i) {
    const int axis = tensor.strides[i].axis;
    const auto size = static_cast<std::int64_t>(itemsize(tensor.dtype));
    const std::int64_t stride = view.strides == nullptr ? dense : stride_bytes(view, i) / size;
    dense *= view.shape[i];
    if (axis >= 0 && axes[axis] == kUnbound) {
      axes[axis] = stride;
      owners[axis] = name;
    }
  }
}

void check_layout(const Kernel& kernel, const Tensor& tensor, const char* name, const View& view, const long long* axes,
                  const long long* values) {
  for (int i = 0; i < tensor.rank; ++i) {
    const long long size = required(tensor.shape[i], axes, values);
    if (view.shape[i] != size) [[unlikely]] {
      refuse(kernel, PyExc_ValueError, name,
             shape_words(view) + ", but its dimension " + std::to_string(i) + " (" + tensor.shape[i].words +
                 ") must be " + std::to_string(size));
    }
  }
  if (is_empty(view)) return;
  const std::size_t size = itemsize(tensor.dtype);
  if (tensor.layout != Layout::strided) {
    if (is_dense(view, tensor.layout, size)) [[likely]]
      return;
    const bool row = tensor.layout == Layout::row;
    const std::string order = row ? "row-major (C order)" : "column-major (Fortran order)";
    const std::string has = view.strides != nullptr ? strides_words(view, size) : "row-major order";
    refuse(kernel, PyExc_ValueError, name,
           shape_words(view) + " and " + has + ", but must be dense and " + order +
               (row ? ": np.ascontiguousarray makes such a copy" : ": np.asfortranarray makes such a copy"));
  }
  std::int64_t dense = static_cast<std::int64_t>(size);
  for (int i = tensor.rank - 1; i >= 0; --i) {
    const long long wanted = required(tensor.strides[i], axes, values);
    const std::int64_t bytes = view.strides == nullptr ? dense : stride_bytes(view, i);
    dense *= view.shape[i];
    if (view.shape[i] != 1 && bytes != wanted * static_cast<long long>(size)) [[unlikely]] {
      refuse(kernel, PyExc_ValueError, name,
             (view.strides == nullptr ? "is dense" : "has " + strides_words(view, size)) + ", but its stride " +
                 std::to_string(i) + " (" + tensor.strides[i].words + ") must be " + std::to_string(wanted));
    }
  }
}

void check_overlap(const Kernel& kernel, const Tensor& tensor, const char* name, const View& out,
                   const char* other_name, const View& other) {
  if (is_empty(out) || is_empty(other)) return;
  const Range a = range_of(out, itemsize(tensor.dtype)), b = range_of(other, itemsize(other.dtype));
  if (a.begin < b.end && b.begin < a.end) [[unlikely]] {
    refuse(kernel, PyExc_ValueError, name, std::string("overlaps ") + other_name + " in memory");
  }
}

Value scalar_value(const Kernel& kernel, const Scalar& scalar, PyObject* object) {
  Value value{};
  const char* dtype = dtype_name(scalar.dtype);
  if (scalar.dtype <= DType::bf16) {
    value.real = PyFloat_AsDouble(object);
    if (value.real == -1.0 && PyErr_Occurred()) {
      PyErr_Clear();
      refuse(kernel, PyExc_TypeError, scalar.name,
             "is " + type_name(object) + ", but a number is needed (" + dtype + ")");
    }
    const double limit = scalar.dtype == DType::f64   ? HUGE_VAL
                         : scalar.dtype == DType::f16 ? 65504.0
                                                      : 3.4028234663852886e38;
    if (std::isfinite(value.real) && std::fabs(value.real) > limit) {
      refuse(kernel, PyExc_ValueError, scalar.name, std::string("is too large for ") + dtype);
    }
    return value;
  }
  Ref integer(PyNumber_Index(object));
  if (!integer) {
    PyErr_Clear();
    const bool truth = scalar.dtype == DType::boolean && PyObject_HasAttrString(object, "dtype");  // numpy.bool_
    const int held = truth ? PyObject_IsTrue(object) : -1;
    if (held < 0) {
      PyErr_Clear();
      refuse(kernel, PyExc_TypeError, scalar.name,
             "is " + type_name(object) + ", but an integer is needed (" + dtype + ")");
    }
    value.integer = held;
    return value;
  }
  int overflow = 0;
  value.integer = PyLong_AsLongLongAndOverflow(integer.get(), &overflow);
  long long low = 0, high = 1;
  if (scalar.dtype == DType::i32) low = -2147483648LL, high = 2147483647LL;
  if (scalar.dtype == DType::i8) low = -128, high = 127;
  if (scalar.dtype == DType::u8) high = 255;
  if (overflow != 0 || value.integer < low || value.integer > high) {
    Ref text = checked(PyObject_Str(integer.get()));
    const char* words = PyUnicode_AsUTF8(text.get());
    if (words == nullptr) throw AlreadySet{};
    refuse(kernel, PyExc_ValueError, scalar.name, std::string("is ") + words + ", which does not fit " + dtype);
  }
  return value;
}

}  // namespace spak::runtime
