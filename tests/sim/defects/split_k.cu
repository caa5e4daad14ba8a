// Split-K: the blocks of one tile share the long sum; each publishes its part, and who comes last adds the parts up.
//@ arch sm_80
#include <spak/cuda/device.h>

using namespace spak;

//@ kernel split_k
//@   C (m x n) = A (m x k) B (k x n) in f32. The grid's z axis splits k; a block leaves its part in `parts`, takes a ticket,
//@   and the block that draws the last ticket of the tile sums all parts in a fixed order: same inputs, same bits.
//@ defect part_read_early: race-shared
//@   The products read the tiles before all threads have filled them.
//@ also[part_read_early] race-warp
//@ defect tile_replaced_early: race-shared
//@   A fast warp fills the next tile while a slow one still multiplies this one.
//@ also[tile_replaced_early] race-warp
//@ defect no_fence_before_ticket: race-global
//@   The part is written before the ticket in program order, which no other block has to see so.
//@ defect fence_too_narrow: race-global
//@   The fence before the ticket covers this block only, and the part is for another.
//@ defect ticket_before_block_is_done: race-global
//@   Thread 0 takes the ticket while other threads of its block still write their elements of the part.
//@ defect ticket_not_shared: race-shared
//@   All threads read the flag that thread 0 sets, and none waits for it.
//@ also[ticket_not_shared] race-warp, uninitialised-read, divergent-barrier
//@ defect ticket_with_plus_plus: race-global
//@   The ticket is drawn with an ordinary increment: two blocks may draw the same.
//@ also[ticket_with_plus_plus] no-progress, wrong-values
//@ defect sum_without_atomic: race-global
//@   Every block adds its part to the output, and the addition is a read and a write.
//@ also[sum_without_atomic] uninitialised-read
//@ defect parts_overlap: race-global
//@   The parts of two splits share their place: the stride between them is forgotten.
//@ also[parts_overlap] uninitialised-read
//@ defect empty_split_leaves: uninitialised-read
//@   A split without work returns its ticket but writes no part, and the sum reads it all the same.
//@ also[empty_split_leaves] race-global
//@ defect tail_of_rows: out-of-bounds
//@   The guard of the last rows is for the columns only.
//@ also[tail_of_rows] race-global
//@ defect slice_too_short: wrong-values
//@   The slices are k / splits long, rounded down: nobody adds the last products.
//@ defect one_ticket_too_many: wrong-values
//@   Nobody ever draws the ticket that the last block waits for: the output is not written.
//@ also[one_ticket_too_many] uninitialised-read
//@ run grid=(2, 2, 3) block=(16, 16)
//@ in m = 20
//@ in n = 24
//@ in k = 70
//@ in a = f32(arange(20 * 70) % 7).reshape(20, 70)
//@ in b = f32(arange(70 * 24) % 5).reshape(70, 24)
//@ scratch parts: f32[3, 20, 24]
//@ inout tickets: u32[4] = zeros(4) -> [0, 0, 0, 0]
//@ out c: f32[20, 24] = matmul(a, b)
constexpr int kTile = 16;

extern "C" __global__ void __launch_bounds__(256) split_k(const float* a, const float* b, float* parts, unsigned* tickets,
                                                          float* c, int m, int n, int k) {
  __shared__ float left[kTile][kTile + 1], right[kTile][kTile + 1];
  __shared__ bool last;
  const int x = threadIdx.x, y = threadIdx.y;
  const int row = blockIdx.y * kTile + y, column = blockIdx.x * kTile + x;
  const int splits = gridDim.z;
  const int slice = (k + splits - 1) / splits;  //@ not slice_too_short
  const int slice = k / splits;                 //@ only slice_too_short
  const int begin = blockIdx.z * slice, end = min(k, begin + slice);
  bool writes = row < m && column < n;                             //@ not tail_of_rows
  bool writes = column < n;                                        //@ only tail_of_rows
  if (blockIdx.z == 2) writes = writes && begin > k;               //@ only empty_split_leaves

  float sum = 0;
  for (int at = begin; at < end; at += kTile) {
    left[y][x] = row < m && at + x < end ? a[static_cast<index_t>(row) * k + at + x] : 0.0f;
    right[y][x] = column < n && at + y < end ? b[static_cast<index_t>(at + y) * n + column] : 0.0f;  //@ part_read_early, tile_replaced_early: writes
    __syncthreads();                                               //@ not part_read_early
    for (int i = 0; i < kTile; ++i) sum += left[y][i] *
                                           right[i][x];      //@ part_read_early, tile_replaced_early: reads
    __syncthreads();                                               //@ not tile_replaced_early
  }

  const index_t size = static_cast<index_t>(m) * n, place = static_cast<index_t>(row) * n + column;
  if (writes) c[place] += sum;                                     //@ only sum_without_atomic; sum_without_atomic: reads; sum_without_atomic: writes
  if (writes) parts[blockIdx.z * size + place] = sum;              //@ not parts_overlap; no_fence_before_ticket, fence_too_narrow, ticket_before_block_is_done, tail_of_rows: writes
  if (writes) parts[place] = sum;                                  //@ only parts_overlap; parts_overlap: writes
  __threadfence();                                                 //@ not no_fence_before_ticket, fence_too_narrow
  __threadfence_block();                                           //@ only fence_too_narrow
  __syncthreads();                                                 //@ not ticket_before_block_is_done
  if (x == 0 && y == 0) {
    unsigned* ticket = tickets + blockIdx.y * gridDim.x + blockIdx.x;
    const unsigned drawn = atomicInc(ticket, splits - 1);          //@ not ticket_with_plus_plus
    const unsigned drawn = *ticket;                                //@ only ticket_with_plus_plus; ticket_with_plus_plus: reads
    *ticket = drawn == splits - 1u ? 0 : drawn + 1;                //@ only ticket_with_plus_plus; ticket_with_plus_plus: writes
    last = drawn == splits - 1u;                                   //@ not one_ticket_too_many; ticket_not_shared: writes
    last = drawn == splits + 0u;                                   //@ only one_ticket_too_many
  }
  __syncthreads();                                                 //@ not ticket_not_shared
  if (!last || !(row < m && column < n)) return;                   //@ ticket_not_shared: reads
  __threadfence();
  float total = 0;
  for (int s = 0; s < splits; ++s) total += parts[s * size + place];  //@ no_fence_before_ticket, fence_too_narrow, ticket_before_block_is_done, empty_split_leaves: reads
  c[place] = total;
}
