// Device memory as an object of its own, for results where no framework allocates them: it has `shape`, `dtype`, __dlpack__ and
// __dlpack_device__, and its memory lives as long as it or its exports.
#include <pybind11/pybind11.h>

#include <memory>

#include "../dlpack.h"
#include "../view.h"
#include "memory.h"
#include "spak/runtime/device.h"

namespace py = pybind11;

namespace spak::runtime {
namespace {

struct Memory {
  void* data;
  int device;
  Memory(void* memory, int ordinal) : data(memory), device(ordinal) {}
  ~Memory() { cuda::release(data, device); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
};

struct DeviceArray {
  std::shared_ptr<Memory> memory;
  DType dtype;
  std::vector<std::int64_t> shape, strides;
};

struct Export {
  std::shared_ptr<Memory> memory;
  std::vector<std::int64_t> shape, strides;
  dlpack::Managed plain;
  dlpack::Versioned versioned;
};

dlpack::Tensor tensor_of(const DeviceArray& array, Export& owner) {
  const int code = array.dtype == DType::bf16      ? 4
                   : array.dtype == DType::boolean ? 6
                   : array.dtype <= DType::f16     ? 2
                   : array.dtype == DType::u8      ? 1
                                                   : 0;
  return {array.memory->data,
          static_cast<std::int32_t>(kCUDA),
          array.memory->device,
          static_cast<std::int32_t>(array.shape.size()),
          static_cast<std::uint8_t>(code),
          static_cast<std::uint8_t>(8 * itemsize(array.dtype)),
          1,
          owner.shape.data(),
          owner.strides.data(),
          0};
}

void destroy(PyObject* capsule) {
  if (PyCapsule_IsValid(capsule, dlpack::kName)) {
    auto* managed = static_cast<dlpack::Managed*>(PyCapsule_GetPointer(capsule, dlpack::kName));
    managed->deleter(managed);
  } else if (PyCapsule_IsValid(capsule, dlpack::kVersionedName)) {
    auto* managed = static_cast<dlpack::Versioned*>(PyCapsule_GetPointer(capsule, dlpack::kVersionedName));
    managed->deleter(managed);
  }
}

// Results are ready once the stream that the kernel ran on is: the consumer's stream is the caller's to order.
py::object export_capsule(const DeviceArray& array, const py::kwargs& keywords) {
  const py::object version = keywords.contains("max_version") ? py::object(keywords["max_version"]) : py::none();
  const bool versioned = !version.is_none() && py::cast<int>(version[py::int_(0)]) >= 1;
  auto owner = std::make_unique<Export>(Export{array.memory, array.shape, array.strides, {}, {}});
  const dlpack::Tensor tensor = tensor_of(array, *owner);
  PyObject* capsule = nullptr;
  if (versioned) {
    owner->versioned = {
        1, 0, owner.get(), [](dlpack::Versioned* self) { delete static_cast<Export*>(self->context); }, 0, tensor};
    capsule = PyCapsule_New(&owner->versioned, dlpack::kVersionedName, destroy);
  } else {
    owner->plain = {tensor, owner.get(), [](dlpack::Managed* self) { delete static_cast<Export*>(self->context); }};
    capsule = PyCapsule_New(&owner->plain, dlpack::kName, destroy);
  }
  if (capsule == nullptr) throw py::error_already_set();
  owner.release();
  return py::reinterpret_steal<py::object>(capsule);
}

// Registered once a module, when the first such array is made.
py::handle array_class() {
  static PyObject* type = nullptr;
  if (type != nullptr) return type;
  py::class_<DeviceArray> made(py::handle(), "DeviceArray", py::module_local());
  made.def_property_readonly("shape", [](const DeviceArray& self) {
    py::tuple shape(self.shape.size());
    for (std::size_t i = 0; i < self.shape.size(); ++i) shape[i] = self.shape[i];
    return shape;
  });
  made.def_property_readonly("dtype", [](const DeviceArray& self) { return std::string(dtype_name(self.dtype)); });
  made.def("__dlpack_device__",
           [](const DeviceArray& self) { return py::make_tuple(static_cast<int>(kCUDA), self.memory->device); });
  made.def("__dlpack__", export_capsule);
  type = made.release().ptr();
  return type;
}

}  // namespace

namespace cuda {

PyObject* result_array(const Tensor& tensor, const long long* shape, const long long* strides, int device) {
  long long extent = 1;
  for (int i = 0; i < tensor.rank; ++i) extent = shape[i] == 0 ? 0 : extent + (shape[i] - 1) * strides[i];
  const std::size_t bytes = static_cast<std::size_t>(extent < 0 ? 0 : extent) * itemsize(tensor.dtype);
  try {
    array_class();
    auto memory = std::make_shared<Memory>(cuda::allocate(bytes, device), device);
    return py::cast(
               DeviceArray{
                   std::move(memory), tensor.dtype, {shape, shape + tensor.rank}, {strides, strides + tensor.rank}})
        .release()
        .ptr();
  } catch (py::error_already_set& error) {
    error.restore();
    throw AlreadySet{};
  } catch (const std::runtime_error& error) {
    throw Refused{PyExc_MemoryError, error.what()};
  }
}

const DeviceOps device_ops = {"CUDA", result_array};

}  // namespace cuda
}  // namespace spak::runtime
