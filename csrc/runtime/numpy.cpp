#include "numpy.h"

#include <cstring>

namespace spak::runtime {
namespace numpy {
namespace {

// The fields of PyArrayObject and of PyArray_Descr up to the last one used: the same in NumPy 1 and 2.
struct Array {
  PyObject_HEAD char* data;
  int rank;
  Py_ssize_t* shape;
  Py_ssize_t* strides;
  PyObject* base;
  PyObject* descr;
  int flags;
};

struct Descr {
  PyObject_HEAD PyTypeObject* type;
  char kind;
  char code;
  char byteorder;
  char former_flags;
  int number;
};

constexpr int kWriteable = 0x0400;
constexpr int kUserDefined = 256;
enum : int { kBool = 0, kByte = 1, kUByte = 2, kInt = 5, kLong = 7, kFloat = 11, kDouble = 12, kHalf = 23 };
static_assert(sizeof(Py_ssize_t) == sizeof(std::int64_t) && sizeof(int) == 4, "64-bit platforms with 32-bit int");

using NewFromDescr = PyObject* (*)(PyTypeObject*, PyObject*, int, const Py_ssize_t*, const Py_ssize_t*, void*, int,
                                   PyObject*);
using DescrFromType = PyObject* (*)(int);

struct Api {
  PyTypeObject* array_type = nullptr;
  NewFromDescr new_from_descr = nullptr;
  DescrFromType descr_from_type = nullptr;
};

// Looked up when the first array is seen or needed. An array can only exist once NumPy has been imported, so nothing is
// imported for a caller who does not use it. Guarded by the GIL; every thread would write the same values.
Api api;

bool load(bool import) {
  if (api.array_type != nullptr) return true;
  Ref module;
  for (const char* name : {"numpy._core._multiarray_umath", "numpy.core._multiarray_umath"}) {
    Ref key = checked(PyUnicode_FromString(name));
    module = Ref(import ? PyImport_Import(key.get()) : PyImport_GetModule(key.get()));
    if (module) break;
    PyErr_Clear();
  }
  if (!module) return false;
  Ref capsule = checked(PyObject_GetAttrString(module.get(), "_ARRAY_API"));
  auto** table = static_cast<void**>(PyCapsule_GetPointer(capsule.get(), nullptr));
  if (table == nullptr) throw AlreadySet{};
  api.new_from_descr = reinterpret_cast<NewFromDescr>(table[94]);
  api.descr_from_type = reinterpret_cast<DescrFromType>(table[45]);
  api.array_type = static_cast<PyTypeObject*>(table[2]);
  return true;
}

DType dtype_of(const Descr* descr) {
  if (descr->byteorder == '>') return DType::unknown;
  switch (descr->number) {
    case kBool:
      return DType::boolean;
    case kByte:
      return DType::i8;
    case kUByte:
      return DType::u8;
    case kInt:
      return DType::i32;
    case kFloat:
      return DType::f32;
    case kDouble:
      return DType::f64;
    case kHalf:
      return DType::f16;
    default:
      break;
  }
  if (descr->number < kUserDefined) return DType::unknown;
  const char* name = descr->type->tp_name;  // ml_dtypes registers its types at run time, under any number
  const char* last = std::strrchr(name, '.');
  return std::strcmp(last != nullptr ? last + 1 : name, "bfloat16") == 0 ? DType::bf16 : DType::unknown;
}

int number_of(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return kDouble;
    case DType::f32:
    case DType::tf32:
      return kFloat;
    case DType::f16:
      return kHalf;
    case DType::i32:
      return kInt;
    case DType::i8:
      return kByte;
    case DType::u8:
      return kUByte;
    case DType::boolean:
      return kBool;
    default:
      return -1;
  }
}

PyObject* bfloat16_descr() {
  Ref types(PyImport_ImportModule("ml_dtypes"));
  if (!types) {
    PyErr_Clear();
    throw Refused{PyExc_TypeError, "NumPy has no bf16 of its own: pip install ml_dtypes, or pass out="};
  }
  Ref type = checked(PyObject_GetAttrString(types.get(), "bfloat16"));
  Ref numpy = checked(PyImport_ImportModule("numpy"));
  return checked(PyObject_CallMethod(numpy.get(), "dtype", "O", type.get())).release();
}

}  // namespace

PyObject* empty(const Tensor& tensor, const long long* shape, const long long* strides, PyObject* like) {
  if (!load(true))
    throw Refused{PyExc_TypeError, "results are NumPy arrays here, and NumPy is not installed: pass out="};
  PyObject* descr = nullptr;
  if (tensor.dtype != DType::bf16) {
    descr = api.descr_from_type(number_of(tensor.dtype));
  } else if (like != nullptr && PyObject_TypeCheck(like, api.array_type) &&
             dtype_of(reinterpret_cast<Descr*>(reinterpret_cast<Array*>(like)->descr)) == DType::bf16) {
    descr = Py_NewRef(reinterpret_cast<Array*>(like)->descr);
  } else {
    descr = bfloat16_descr();
  }
  if (descr == nullptr) throw AlreadySet{};
  Py_ssize_t sizes[64];
  for (int i = 0; i < tensor.rank; ++i) sizes[i] = static_cast<Py_ssize_t>(shape[i]);
  if (strides == nullptr) {
    const int fortran = tensor.layout == Layout::col ? 1 : 0;
    return checked(api.new_from_descr(api.array_type, descr, tensor.rank, sizes, nullptr, nullptr, fortran, nullptr))
        .release();
  }
  Py_ssize_t extent = 1, steps[64];
  for (int i = 0; i < tensor.rank; ++i) {
    steps[i] = static_cast<Py_ssize_t>(strides[i]);
    extent = sizes[i] == 0 ? 0 : extent + (sizes[i] - 1) * (steps[i] / static_cast<Py_ssize_t>(itemsize(tensor.dtype)));
  }
  PyObject* flat = api.new_from_descr(api.array_type, Py_NewRef(descr), 1, &extent, nullptr, nullptr, 0, nullptr);
  if (flat == nullptr) {
    Py_DECREF(descr);
    throw AlreadySet{};
  }
  Ref keep(flat);
  Ref numpy = checked(PyImport_ImportModule("numpy"));
  Ref dims = checked(PyTuple_New(tensor.rank)), jumps = checked(PyTuple_New(tensor.rank));
  for (int i = 0; i < tensor.rank; ++i) {
    PyTuple_SET_ITEM(dims.get(), i, PyLong_FromSsize_t(sizes[i]));
    PyTuple_SET_ITEM(jumps.get(), i, PyLong_FromSsize_t(steps[i]));
  }
  Ref type(descr);
  return checked(PyObject_CallMethod(numpy.get(), "ndarray", "OOOiO", dims.get(), type.get(), flat, 0, jumps.get()))
      .release();
}

}  // namespace numpy

bool view_numpy(PyObject* object, View& view) {
  // Every array type derives from a C type; a look at the name of an exact ndarray saves loading the table for others.
  if (numpy::api.array_type == nullptr && !numpy::load(false)) return false;
  if (!PyObject_TypeCheck(object, numpy::api.array_type)) return false;
  if (Py_TYPE(object) != numpy::api.array_type && std::strcmp(Py_TYPE(object)->tp_name, "MaskedArray") == 0) {
    throw Refused{PyExc_TypeError, "is a masked array, whose mask a kernel cannot see"};
  }
  const auto* array = reinterpret_cast<numpy::Array*>(object);
  view.numpy = true;
  view.data = array->data;
  view.rank = array->rank;
  view.shape = reinterpret_cast<const std::int64_t*>(array->shape);
  view.strides = reinterpret_cast<const std::int64_t*>(array->strides);
  view.stride_unit = 1;
  view.dtype = numpy::dtype_of(reinterpret_cast<const numpy::Descr*>(array->descr));
  view.readonly = (array->flags & numpy::kWriteable) == 0;
  return true;
}

}  // namespace spak::runtime
