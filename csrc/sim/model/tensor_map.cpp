// Makes tensor maps, with every rule that the driver's cuTensorMapEncodeTiled documents. Knows nothing of copies.
#include "spak/sim/model/tensor_map.h"

#include <cstring>

#include "model/map.h"
#include "model/reduce.h"
#include "spak/sim/launch.h"

namespace spak::sim {

namespace {

// In the order of CUtensorMapDataType.
struct Type {
  const char* name;
  Element element;
  bool is_float, flush, known;
};
constexpr Type kTypes[] = {
    {"UINT8", Element::u8, false, false, true},          {"UINT16", Element::u16, false, false, true},
    {"UINT32", Element::u32, false, false, true},        {"INT32", Element::s32, false, false, true},
    {"UINT64", Element::u64, false, false, true},        {"INT64", Element::s64, false, false, true},
    {"FLOAT16", Element::f16, true, false, true},        {"FLOAT32", Element::f32, true, false, true},
    {"FLOAT64", Element::f64, true, false, true},        {"BFLOAT16", Element::bf16, true, false, true},
    {"FLOAT32_FTZ", Element::f32, true, true, true},     {"TFLOAT32", Element::f32, true, false, false},
    {"TFLOAT32_FTZ", Element::f32, true, true, false},   {"16U4_ALIGN8B", Element::u8, false, false, false},
    {"16U4_ALIGN16B", Element::u8, false, false, false}, {"16U6_ALIGN16B", Element::u8, false, false, false},
};
constexpr const char* kSwizzles[] = {"NONE",         "32B", "64B", "128B", "128B_ATOM_32B", "128B_ATOM_32B_FLIP_8B",
                                     "128B_ATOM_64B"};

std::string at(const char* array, std::uint32_t i, std::uint64_t value) {
  return std::string(array) + "[" + std::to_string(i) + "] is " + std::to_string(value);
}

}  // namespace

std::uint64_t TensorMap::digest() const {
  std::uint64_t words[sizeof(TensorMap) / 8], hash = 0xCBF29CE484222325u;
  std::memcpy(words, this, sizeof words);
  for (std::size_t i = 0; i < offsetof(TensorMap, check) / 8; ++i) hash = (hash ^ words[i]) * 0x100000001B3u;
  return hash;
}

std::string try_encode_tensor_map(void* map, int type, std::uint32_t rank, void* base, const std::uint64_t* dims,
                                  const std::uint64_t* strides, const std::uint32_t* box,
                                  const std::uint32_t* element_strides, int interleave, int swizzle, int l2_promotion,
                                  int oob_fill) {
  if (!map || reinterpret_cast<std::uintptr_t>(map) % 64) return "tensorMap must be aligned to 64 bytes";
  if (type < 0 || type >= static_cast<int>(sizeof kTypes / sizeof *kTypes))
    return "tensorDataType " + std::to_string(type) + " is not one of CUtensorMapDataType";
  if (interleave < 0 || interleave > 2)
    return "interleave " + std::to_string(interleave) + " is not one of CUtensorMapInterleave";
  if (swizzle < 0 || swizzle > 6) return "swizzle " + std::to_string(swizzle) + " is not one of CUtensorMapSwizzle";
  if (l2_promotion < 0 || l2_promotion > 3)
    return "l2Promotion " + std::to_string(l2_promotion) + " is not one of CUtensorMapL2promotion";
  if (oob_fill < 0 || oob_fill > 1)
    return "oobFill " + std::to_string(oob_fill) + " is not one of CUtensorMapFloatOOBfill";
  const Type& kind = kTypes[type];
  if (!kind.known) return std::string("tensorDataType ") + kind.name + " is not modelled by the simulator";
  if (interleave)
    return "an interleaved layout is not modelled by the simulator: only CU_TENSOR_MAP_INTERLEAVE_NONE is";
  if (swizzle > 3) return std::string("swizzle ") + kSwizzles[swizzle] + " is not modelled by the simulator";
  if (rank < 1 || rank > 5) return "tensorRank is " + std::to_string(rank) + ": it must be 1 to 5";
  if (!base || reinterpret_cast<std::uintptr_t>(base) % 16)
    return "globalAddress must be aligned to 16 bytes and not null";
  if (!dims || !box || !element_strides || (rank > 1 && !strides))
    return "globalDim, globalStrides, boxDim and elementStrides must not be null";
  const std::uint64_t size = size_of(kind.element);
  for (std::uint32_t i = 0; i < rank; ++i) {
    if (dims[i] < 1 || dims[i] > std::uint64_t{1} << 32) return at("globalDim", i, dims[i]) + ": it must be 1 to 2^32";
    if (box[i] < 1 || box[i] > 256) return at("boxDim", i, box[i]) + ": it must be 1 to 256";
    if (element_strides[i] < 1 || element_strides[i] > 8)
      return at("elementStrides", i, element_strides[i]) + ": it must be 1 to 8";
  }
  for (std::uint32_t i = 0; i + 1 < rank; ++i) {
    if (strides[i] % 16) return at("globalStrides", i, strides[i]) + ": it must be a multiple of 16 bytes";
    if (strides[i] >= std::uint64_t{1} << 40)
      return at("globalStrides", i, strides[i]) + ": it must be less than 2^40 bytes";
    if (i && strides[i] < dims[i])
      return at("globalStrides", i, strides[i]) + ": it must be at least globalDim[" + std::to_string(i) + "], " +
             std::to_string(dims[i]);
  }
  const std::uint64_t inner = box[0] * size;
  if (inner % 16)
    return "the box's inner dimension, boxDim[0] times the element size, is " + std::to_string(inner) +
           " bytes: it must be a multiple of 16";
  if (swizzle && inner > 16u << swizzle)
    return "the box's inner dimension is " + std::to_string(inner) + " bytes: CU_TENSOR_MAP_SWIZZLE_" +
           kSwizzles[swizzle] + " takes at most " + std::to_string(16u << swizzle);
  if (oob_fill && !kind.is_float)
    return std::string("oobFill NAN_REQUEST_ZERO_FMA needs a floating-point tensorDataType, not ") + kind.name;
  TensorMap made;
  std::memset(&made, 0, sizeof made);
  made.magic = TensorMap::kMagic;
  made.base = static_cast<char*>(base);
  made.rank = static_cast<std::uint8_t>(rank);
  made.type = static_cast<std::uint8_t>(kind.element);
  made.swizzle = static_cast<std::uint8_t>(swizzle);
  made.fill_nan = oob_fill == 1;
  made.flush = kind.flush;
  for (std::uint32_t i = 0; i < rank; ++i) {
    made.dims[i] = static_cast<std::uint32_t>(dims[i] - 1);
    made.box[i] = static_cast<std::uint16_t>(box[i]);
    made.step[i] = static_cast<std::uint8_t>(i ? element_strides[i] : 1);  // the first is ignored
    if (i + 1 < rank) made.strides[i] = strides[i];
  }
  made.check = made.digest();
  std::memset(map, 0, 128);
  std::memcpy(map, &made, sizeof made);
  return "";
}

void encode_tensor_map(void* map, int type, std::uint32_t rank, void* base, const std::uint64_t* dims,
                       const std::uint64_t* strides, const std::uint32_t* box, const std::uint32_t* element_strides,
                       int interleave, int swizzle, int l2_promotion, int oob_fill) {
  const std::string broken = try_encode_tensor_map(map, type, rank, base, dims, strides, box, element_strides,
                                                   interleave, swizzle, l2_promotion, oob_fill);
  if (!broken.empty())
    throw Fault(broken.find("is not modelled by the simulator") != std::string::npos ? "unsupported" : "bad-tensor-map",
                "tensor map: " + broken);
}

}  // namespace spak::sim
