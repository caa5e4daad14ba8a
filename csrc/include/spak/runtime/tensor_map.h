// A tensor map of the plan in numbers: what an encoder of TMA descriptors is told. Knows neither driver nor simulator.
#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>

#pragma GCC visibility push(hidden)
namespace spak::runtime {

// Innermost dimension first. `data_type`, `swizzle`, `promotion` and `fill` are the enumerators of cuda.h.
struct TensorMap {
  const char* name;
  const char* tensor;
  void* address;
  int data_type;
  int rank;
  long long dims[5];     // elements
  long long strides[4];  // bytes, of all dimensions but the innermost
  long long box[5];      // elements
  int swizzle;
  int promotion;
  int fill;
};

// The descriptor itself, as kernels take it by value.
struct alignas(64) EncodedMap {
  unsigned char bytes[128];
};

// The same in the types of cuTensorMapEncodeTiled.
struct TensorMapNumbers {
  std::uint64_t dims[5];
  std::uint64_t strides[4];
  std::uint32_t box[5];
  std::uint32_t steps[5] = {1, 1, 1, 1, 1};
};

[[noreturn]] inline void refuse_map(const TensorMap& map, const std::string& what) {
  throw std::runtime_error(std::string("tensor map ") + map.name + " of '" + map.tensor + "': " + what);
}

// Throws std::runtime_error in words for what depends on the call: the sizes and the address of the array.
inline TensorMapNumbers numbers(const TensorMap& map) {
  TensorMapNumbers made{};
  const auto within = [&](const char* what, int i, long long value, long long most) {
    if (value < 1 || value > most) {
      refuse_map(map, std::string(what) + " " + std::to_string(i) + " is " + std::to_string(value) +
                          ", and must be from 1 to " + std::to_string(most));
    }
    return value;
  };
  for (int i = 0; i < map.rank; ++i) {
    made.dims[i] = static_cast<std::uint64_t>(within("dimension", i, map.dims[i], 1LL << 32));
    made.box[i] = static_cast<std::uint32_t>(within("box dimension", i, map.box[i], 256));
    if (i == 0) continue;
    made.strides[i - 1] = static_cast<std::uint64_t>(within("stride", i, map.strides[i - 1], (1LL << 40) - 1));
    if (map.strides[i - 1] % 16 != 0) {
      refuse_map(map, "rows are " + std::to_string(map.strides[i - 1]) + " bytes apart, which is no multiple of 16");
    }
  }
  if (reinterpret_cast<std::uintptr_t>(map.address) % 16 != 0)
    refuse_map(map, "the array's address is no multiple of 16");
  return made;
}

}  // namespace spak::runtime
#pragma GCC visibility pop
