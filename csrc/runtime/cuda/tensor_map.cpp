// Tensor maps through the driver's encoder. Knows no kernel.
#include "spak/runtime/tensor_map.h"

#include "driver.h"
#include "spak/runtime/cuda.h"

namespace spak::runtime::cuda {

EncodedMap encode(const TensorMap& map) {
  const TensorMapNumbers n = numbers(map);
  const Driver& d = driver();
  if (d.encode_map == nullptr) refuse_map(map, "the CUDA driver is too old: it has no cuTensorMapEncodeTiled");
  EncodedMap encoded{};
  constexpr int kNoInterleave = 0;
  const int code = d.encode_map(&encoded, map.data_type, static_cast<unsigned>(map.rank), map.address, n.dims,
                                n.strides, n.box, n.steps, kNoInterleave, map.swizzle, map.promotion, map.fill);
  if (code != 0) refuse_map(map, d.words(code));
  return encoded;
}

}  // namespace spak::runtime::cuda
