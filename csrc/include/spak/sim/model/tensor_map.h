// Tensor maps for the simulator: what cuTensorMapEncodeTiled does on a GPU. Knows nothing of the copies, nor of cuda.h: its
// enumerations convert to the integers here.
#pragma once
#include <cstdint>
#include <string>

#pragma GCC visibility push(hidden)
namespace spak::sim {

// Writes the 128 bytes of `map`, in a form that only the simulator reads. The parameters are those of cuTensorMapEncodeTiled,
// in its order: sizes in elements, `strides` (rank - 1 of them) in bytes. Throws Fault("bad-tensor-map") that names the
// rule that is broken.
void encode_tensor_map(void* map, int type, std::uint32_t rank, void* base, const std::uint64_t* dims,
                       const std::uint64_t* strides, const std::uint32_t* box, const std::uint32_t* element_strides,
                       int interleave, int swizzle, int l2_promotion, int oob_fill);
// The same without an exception: "" or the sentence about the rule that is broken.
std::string try_encode_tensor_map(void* map, int type, std::uint32_t rank, void* base, const std::uint64_t* dims,
                                  const std::uint64_t* strides, const std::uint32_t* box,
                                  const std::uint32_t* element_strides, int interleave, int swizzle, int l2_promotion,
                                  int oob_fill);

}  // namespace spak::sim
#pragma GCC visibility pop
