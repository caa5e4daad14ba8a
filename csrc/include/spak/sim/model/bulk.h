// cp.async.bulk and cp.reduce.async.bulk of contiguous bytes, and bulk groups. Knows nothing of tensor maps.
#pragma once
#include <spak/sim/engine.h>

#include <cstdint>

#pragma GCC visibility push(hidden)
namespace spak::sim {

enum class Reduction : unsigned char { add, min, max, inc, dec, bit_and, bit_or, bit_xor };
enum class Element : unsigned char { u8, u16, u32, s32, u64, s64, f16, f32, f64, bf16 };

void bulk_load(void* shared, const void* global, std::uint32_t bytes, std::uint64_t* bar, Site site);
void bulk_load_multicast(void* shared, const void* global, std::uint32_t bytes, std::uint64_t* bar, std::uint16_t mask,
                         Site site);
void bulk_store(void* global, const void* shared, std::uint32_t bytes, Site site);
void bulk_reduce(Reduction reduction, Element element, void* global, const void* shared, std::uint32_t bytes,
                 Site site);
void bulk_copy_cluster(void* peer_shared, const void* shared, std::uint32_t bytes, std::uint64_t* peer_bar, Site site);
// cp.reduce.async.bulk into shared memory: add, min, max, inc, dec, and, or, xor of 32-bit integers, add of u64.
void bulk_reduce_cluster(Reduction reduction, Element element, void* peer_shared, const void* shared,
                         std::uint32_t bytes, std::uint64_t* peer_bar, Site site);
// st.async: `bytes` (4, 8 or 16) of a value into a block of the cluster, whose mbarrier counts them.
void store_async(void* peer_shared, const void* value, std::uint32_t bytes, std::uint64_t* peer_bar, Site site);
void bulk_commit(Site site);
void bulk_wait(int pending, Site site);
void bulk_wait_read(int pending, Site site);

}  // namespace spak::sim
#pragma GCC visibility pop
