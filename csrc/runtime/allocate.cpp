// Arrays for results that the caller did not bring, in the inputs' own framework.
#include "call.h"
#include "check.h"
#include "numpy.h"

namespace spak::runtime {
namespace {

Ref tuple_of(const long long* values, int count) {
  Ref tuple = checked(PyTuple_New(count));
  for (int i = 0; i < count; ++i) PyTuple_SET_ITEM(tuple.get(), i, checked(PyLong_FromLongLong(values[i])).release());
  return tuple;
}

const char* word_of(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return "float64";
    case DType::f32:
    case DType::tf32:
      return "float32";
    case DType::f16:
      return "float16";
    case DType::bf16:
      return "bfloat16";
    case DType::i32:
      return "int32";
    case DType::i8:
      return "int8";
    case DType::u8:
      return "uint8";
    default:
      return "bool";
  }
}

// torch has one function for every layout.
PyObject* empty_torch(const Tensor& tensor, const long long* shape, const long long* strides, PyObject* like) {
  Ref torch = checked(PyImport_ImportModule("torch"));
  Ref make = checked(PyObject_GetAttrString(torch.get(), "empty_strided"));
  Ref keywords = checked(PyDict_New());
  Ref dtype = checked(PyObject_GetAttrString(torch.get(), word_of(tensor.dtype)));
  Ref device = checked(PyObject_GetAttrString(like, "device"));
  if (PyDict_SetItemString(keywords.get(), "dtype", dtype.get()) < 0) throw AlreadySet{};
  if (PyDict_SetItemString(keywords.get(), "device", device.get()) < 0) throw AlreadySet{};
  Ref sizes = tuple_of(shape, tensor.rank), steps = tuple_of(strides, tensor.rank);
  Ref both = checked(PyTuple_Pack(2, sizes.get(), steps.get()));
  return checked(PyObject_Call(make.get(), both.get(), keywords.get())).release();
}

PyObject* empty_cupy(const Tensor& tensor, const long long* shape, PyObject* like) {
  Ref cupy = checked(PyImport_ImportModule("cupy"));
  Ref sizes = tuple_of(shape, tensor.rank);
  Ref dtype;
  if (tensor.dtype == DType::bf16) {
    dtype = checked(PyObject_GetAttrString(like, "dtype"));
  } else {
    dtype = checked(PyUnicode_FromString(word_of(tensor.dtype)));
  }
  const char* order = tensor.layout == Layout::col ? "F" : "C";
  return checked(PyObject_CallMethod(cupy.get(), "empty", "OOs", sizes.get(), dtype.get(), order)).release();
}

}  // namespace

PyObject* allocate(const Kernel& kernel, const Tensor& tensor, const long long* axes, const long long* values,
                   PyObject* like, const View* like_view) {
  long long shape[kMaxRank], strides[kMaxRank];
  for (int i = 0; i < tensor.rank; ++i) {
    shape[i] = required(tensor.shape[i], axes, values);
    if (shape[i] < 0)
      refuse(kernel, PyExc_ValueError, tensor.name,
             std::string("would have the negative extent ") + tensor.shape[i].words);
  }
  long long step = 1;
  for (int k = 0; k < tensor.rank; ++k) {
    const int i = tensor.layout == Layout::col ? k : tensor.rank - 1 - k;
    strides[i] = tensor.layout == Layout::strided ? required(tensor.strides[i], axes, values) : step;
    step *= shape[i];
  }
  try {
    const bool on_device = kernel.device != nullptr;
    if (!on_device && (like_view == nullptr || like_view->numpy)) {
      if (tensor.layout != Layout::strided) return numpy::empty(tensor, shape, nullptr, like);
    } else if (is_instance_of(like, "torch", "Tensor")) {
      return empty_torch(tensor, shape, strides, like);
    } else if (on_device && tensor.layout != Layout::strided && is_instance_of(like, "cupy", "ndarray")) {
      return empty_cupy(tensor, shape, like);
    }
    if (on_device)
      return kernel.device->result_array(tensor, shape, strides, like_view != nullptr ? like_view->device_id : 0);
    for (int i = 0; i < tensor.rank; ++i) strides[i] *= static_cast<long long>(itemsize(tensor.dtype));
    return numpy::empty(tensor, shape, tensor.layout == Layout::strided ? strides : nullptr, like);
  } catch (const Refused& refused) {
    refuse(kernel, refused.type, tensor.name, "cannot be allocated: " + refused.message);
  }
}

}  // namespace spak::runtime
