// The buffer protocol, and NumPy's array interface for objects that have only that.
#include <cstring>
#include <memory>

#include "view.h"

namespace spak::runtime {
namespace {

DType dtype_of_format(const char* format, Py_ssize_t size) {
  if (format == nullptr) return DType::u8;  // plain bytes
  if (*format == '@' || *format == '=' || *format == '<') ++format;
  if (std::strlen(format) != 1) return DType::unknown;
  switch (*format) {
    case 'd':
      return DType::f64;
    case 'f':
      return DType::f32;
    case 'e':
      return DType::f16;
    case 'i':
    case 'l':
      return size == 4 ? DType::i32 : DType::unknown;
    case 'b':
      return DType::i8;
    case 'B':
      return DType::u8;
    case '?':
      return DType::boolean;
    default:
      return DType::unknown;
  }
}

DType dtype_of_typestr(const char* text) {
  static const struct {
    const char* text;
    DType dtype;
  } known[] = {{"<f8", DType::f64}, {"<f4", DType::f32}, {"<f2", DType::f16},    {"<i4", DType::i32},
               {"|i1", DType::i8},  {"|u1", DType::u8},  {"|b1", DType::boolean}};
  for (const auto& entry : known)
    if (std::strcmp(text, entry.text) == 0) return entry.dtype;
  return DType::unknown;
}

void release_buffer(void* held) {
  auto* buffer = static_cast<Py_buffer*>(held);
  PyBuffer_Release(buffer);
  delete buffer;
}

void release_reference(void* held) { Py_DECREF(static_cast<PyObject*>(held)); }

// Appends a tuple of integers; false where it is none.
bool append(PyObject* tuple, std::vector<std::int64_t>& into) {
  if (tuple == nullptr || !PyTuple_Check(tuple)) return false;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); ++i) {
    into.push_back(PyLong_AsLongLong(PyTuple_GET_ITEM(tuple, i)));
    if (PyErr_Occurred()) throw AlreadySet{};
  }
  return true;
}

}  // namespace

bool view_buffer(PyObject* object, View& view) {
  if (!PyObject_CheckBuffer(object)) return false;
  auto buffer = std::make_unique<Py_buffer>();
  if (PyObject_GetBuffer(object, buffer.get(), PyBUF_STRIDES | PyBUF_FORMAT) < 0) {
    PyErr_Clear();
    return false;  // NumPy refuses dtypes without a format this way: the array interface may do
  }
  Py_buffer* held = buffer.release();
  view.hold(held, release_buffer);
  view.data = held->buf;
  view.rank = held->ndim;
  view.shape = reinterpret_cast<const std::int64_t*>(held->shape);
  view.strides = reinterpret_cast<const std::int64_t*>(held->strides);
  view.stride_unit = 1;
  view.dtype = dtype_of_format(held->format, held->itemsize);
  view.readonly = held->readonly != 0;
  return true;
}

bool view_array_interface(PyObject* object, View& view) {
  Ref interface(PyObject_GetAttrString(object, "__array_interface__"));
  if (!interface) {
    PyErr_Clear();
    return false;
  }
  if (!PyDict_Check(interface.get())) return false;
  PyObject* data = PyDict_GetItemString(interface.get(), "data");
  PyObject* typestr = PyDict_GetItemString(interface.get(), "typestr");
  if (data == nullptr || !PyTuple_Check(data) || PyTuple_GET_SIZE(data) != 2 || typestr == nullptr) return false;
  view.data = PyLong_AsVoidPtr(PyTuple_GET_ITEM(data, 0));
  if (PyErr_Occurred()) throw AlreadySet{};
  view.readonly = PyObject_IsTrue(PyTuple_GET_ITEM(data, 1)) != 0;
  if (!append(PyDict_GetItemString(interface.get(), "shape"), view.owned)) return false;
  view.rank = static_cast<int>(view.owned.size());
  const bool strided = append(PyDict_GetItemString(interface.get(), "strides"), view.owned);
  if (strided && static_cast<int>(view.owned.size()) != 2 * view.rank) return false;
  view.shape = view.owned.data();
  view.strides = strided ? view.owned.data() + view.rank : nullptr;
  view.stride_unit = 1;
  const char* text = PyUnicode_AsUTF8(typestr);
  if (text == nullptr) throw AlreadySet{};
  view.dtype = dtype_of_typestr(text);
  if (view.dtype == DType::unknown && std::strcmp(text + 1, "V2") == 0) {  // how ml_dtypes.bfloat16 is spelt
    Ref dtype(PyObject_GetAttrString(object, "dtype"));
    Ref name(dtype ? PyObject_Str(dtype.get()) : nullptr);
    const char* words = name ? PyUnicode_AsUTF8(name.get()) : nullptr;
    if (words != nullptr && std::strcmp(words, "bfloat16") == 0) view.dtype = DType::bf16;
    PyErr_Clear();
  }
  Py_INCREF(object);
  view.hold(object, release_reference);
  return true;
}

const char* dtype_name(DType dtype) {
  static const char* const names[] = {"f64", "f32", "tf32", "f16", "bf16", "i32", "i8", "u8", "bool", "unknown"};
  return names[static_cast<int>(dtype)];
}

std::string dtype_words(PyObject* object, DType dtype) {
  if (dtype != DType::unknown) return dtype_name(dtype);
  Ref own(PyObject_GetAttrString(object, "dtype"));
  Ref text(own ? PyObject_Str(own.get()) : nullptr);
  const char* words = text ? PyUnicode_AsUTF8(text.get()) : nullptr;
  std::string result = words != nullptr ? words : "of a format that kernels do not have";
  PyErr_Clear();
  return result;
}

bool is_instance_of(PyObject* object, const char* module, const char* type) {
  Ref key = checked(PyUnicode_FromString(module));
  Ref loaded(PyImport_GetModule(key.get()));
  Ref found(loaded ? PyObject_GetAttrString(loaded.get(), type) : nullptr);
  const bool result = found && PyObject_IsInstance(object, found.get()) == 1;
  PyErr_Clear();
  return result;
}

}  // namespace spak::runtime
