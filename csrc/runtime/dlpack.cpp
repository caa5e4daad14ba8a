#include "dlpack.h"

#include "view.h"

namespace spak::runtime {
namespace {

DType dtype_of(const dlpack::Tensor& tensor) {
  if (tensor.lanes != 1) return DType::unknown;
  switch (tensor.code << 8 | tensor.bits) {
    case 0x0008:
      return DType::i8;
    case 0x0020:
      return DType::i32;
    case 0x0108:
      return DType::u8;
    case 0x0210:
      return DType::f16;
    case 0x0220:
      return DType::f32;
    case 0x0240:
      return DType::f64;
    case 0x0410:
      return DType::bf16;
    case 0x0608:
      return DType::boolean;
    default:
      return DType::unknown;
  }
}

void fill(View& view, const dlpack::Tensor& tensor) {
  view.data = static_cast<char*>(tensor.data) + tensor.byte_offset;
  view.rank = tensor.ndim;
  view.shape = tensor.shape;
  view.strides = tensor.strides;
  view.dtype = dtype_of(tensor);
  view.stride_unit = tensor.bits / 8;
  view.device_type = tensor.device_type;
  view.device_id = tensor.device_id;
}

void release(void* held) {
  auto* managed = static_cast<dlpack::Managed*>(held);
  if (managed->deleter != nullptr) managed->deleter(managed);
}

void release_versioned(void* held) {
  auto* managed = static_cast<dlpack::Versioned*>(held);
  if (managed->deleter != nullptr) managed->deleter(managed);
}

// The consumer's stream in the protocol's words: 1 is CUDA's legacy default stream, which is 0 everywhere else.
Ref stream_argument(void* stream) {
  const auto number = reinterpret_cast<std::uintptr_t>(stream);
  return checked(PyLong_FromUnsignedLongLong(number == 0 ? 1 : number));
}

Ref call(PyObject* method, bool versioned, bool on_device, void* stream) {
  Ref keywords = checked(PyDict_New());
  if (versioned) {
    Ref version = checked(Py_BuildValue("(ii)", 1, 0));
    if (PyDict_SetItemString(keywords.get(), "max_version", version.get()) < 0) throw AlreadySet{};
  }
  if (on_device) {
    Ref argument = stream_argument(stream);
    if (PyDict_SetItemString(keywords.get(), "stream", argument.get()) < 0) throw AlreadySet{};
  }
  Ref none = checked(PyTuple_New(0));
  return Ref(PyObject_Call(method, none.get(), keywords.get()));
}

}  // namespace

bool view_dlpack(PyObject* object, View& view, bool on_device, void* stream) {
  Ref where(PyObject_GetAttrString(object, "__dlpack_device__"));
  if (!where) {
    PyErr_Clear();
    return false;
  }
  if (PyType_Check(object)) return false;
  Ref method = checked(PyObject_GetAttrString(object, "__dlpack__"));
  Ref device = checked(PyObject_CallNoArgs(where.get()));
  long type = 0, id = 0;
  if (!PyArg_ParseTuple(device.get(), "ll", &type, &id)) throw AlreadySet{};
  view.device_type = static_cast<int>(type);
  view.device_id = static_cast<int>(id);
  const bool is_cuda = type == kCUDA || type == kCUDAManaged;
  if (is_cuda != on_device) return true;  // the caller refuses the device; exporting from it would be of no use

  Ref capsule = call(method.get(), true, is_cuda, stream);
  if (!capsule && PyErr_ExceptionMatches(PyExc_TypeError)) {  // a producer from before DLPack 1.0
    PyErr_Clear();
    capsule = call(method.get(), false, is_cuda, stream);
  }
  if (!capsule) throw AlreadySet{};

  if (PyCapsule_IsValid(capsule.get(), dlpack::kVersionedName)) {
    auto* managed = static_cast<dlpack::Versioned*>(PyCapsule_GetPointer(capsule.get(), dlpack::kVersionedName));
    if (managed->major != 1) throw Refused{PyExc_BufferError, "exports a version of DLPack other than 0.x and 1.x"};
    PyCapsule_SetName(capsule.get(), dlpack::kVersionedUsed);
    view.hold(managed, release_versioned);
    fill(view, managed->tensor);
    view.readonly = (managed->flags & dlpack::kReadOnly) != 0;
  } else if (PyCapsule_IsValid(capsule.get(), dlpack::kName)) {
    auto* managed = static_cast<dlpack::Managed*>(PyCapsule_GetPointer(capsule.get(), dlpack::kName));
    PyCapsule_SetName(capsule.get(), dlpack::kUsed);
    view.hold(managed, release);
    fill(view, managed->tensor);
  } else {
    throw Refused{PyExc_TypeError, "has a __dlpack__ that does not return a DLPack capsule"};
  }
  return true;
}

}  // namespace spak::runtime
