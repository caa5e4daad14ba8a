// Subtle ones: what a checker that remembers too little, or looks too coarsely, would let pass.
//@ arch sm_90a
#include <spak/cuda/barrier.h>
#include <spak/cuda/bulk.h>
#include <spak/cuda/cluster.h>
#include <spak/cuda/cp_async.h>
#include <spak/cuda/device.h>
#include <spak/cuda/elect.h>
#include <spak/cuda/fence.h>
#include <spak/cuda/matrix.h>
#include <spak/cuda/mbarrier.h>

using namespace spak;

//@ defect eighth_reader: race-shared
//@   Eight warps read a value; the writer of the next one waits for seven of them.
//@ run block=288
//@ in x = i32(arange(2))
//@ out y: i32[256] = zeros(256)
extern "C" __global__ void eighth_reader(const int* x, int* y) {
  __shared__ int value;
  const int t = threadIdx.x;
  if (t == 0) value = x[0];
  __syncthreads();
  if (t < 256) {
    y[t] = value;                           //@ reads
    if (t >= 32) named_arrive(1, 256);      //@ broken
    named_arrive(1, 288);                   //@ fixed
  } else {
    named_sync(1, 256);                     //@ broken
    named_sync(1, 288);                     //@ fixed
    if (t == 256) value = x[1];             //@ writes
  }
}

//@ defect half_of_a_double: race-shared
//@   A float is written into the second half of a double that another warp reads.
//@ run block=64
//@ in x = f64(arange(32))
//@ out y: f64[32] = x
extern "C" __global__ void half_of_a_double(const double* x, double* y) {
  __shared__ double s[32];
  const int t = threadIdx.x;
  if (t < 32) s[t] = x[t];
  __syncthreads();
  if (t < 32) y[t] = s[t];                                             //@ reads
  __syncthreads();                                                     //@ fixed
  if (t >= 32) reinterpret_cast<float*>(s)[2 * (t - 32) + 1] = 1.0f;   //@ writes
}

//@ defect one_byte_of_a_vector: race-shared
//@   One byte is written inside of 16 that another warp reads as a vector.
//@ run block=64
//@ in x = i32(arange(128))
//@ out y: i32[32] = x.reshape(32, 4).sum(1)
extern "C" __global__ void one_byte_of_a_vector(const int* x, int* y) {
  __shared__ __align__(16) int s[128];
  const int t = threadIdx.x;
  s[t] = x[t];
  s[t + 64] = x[t + 64];
  __syncthreads();
  if (t < 32) {
    const int4 v = reinterpret_cast<const int4*>(s)[t];                //@ reads
    y[t] = v.x + v.y + v.z + v.w;
  }
  __syncthreads();                                                     //@ fixed
  if (t >= 32) reinterpret_cast<unsigned char*>(s)[16 * (t - 32) + 13] = 255;  //@ writes
}

//@ defect structure_copied: race-shared
//@   A structure is copied as a whole, one member of it after the other by the compiler, with nothing to order that.
//@ run block=64
//@ in x = i32(arange(64))
//@ out y: i32[64] = x[::-1] * 8
struct Item {
  int values[8];
};
extern "C" __global__ void structure_copied(const int* x, int* y) {
  __shared__ Item items[64];
  const int t = threadIdx.x;
  Item mine;
  for (int k = 0; k < 8; ++k) mine.values[k] = x[t];
  items[t] = mine;                     //@ writes
  __syncthreads();                     //@ fixed
  const Item other = items[63 - t];    //@ reads
  int sum = 0;
  for (int k = 0; k < 8; ++k) sum += other.values[k];
  y[t] = sum;
}

//@ defect flag_of_another_variable: race-global
//@   The fence and the flag are there, and the reader waits for the flag of the wrong block.
//@ run grid=3 block=32
//@ scratch data: i32[2]
//@ inout flags: u32[2] = zeros(2) -> [1, 1]
//@ out y: i32[2] = [10, 11]
//@ also uninitialised-read
extern "C" __global__ void flag_of_another_variable(int* data, unsigned* flags, int* y) {
  if (threadIdx.x != 0) return;
  const int b = blockIdx.x;
  if (b < 2) {
    data[b] = 10 + b;                                             //@ writes
    __threadfence();
    atomicExch(&flags[b], 1u);
  } else {
    for (int i = 0; i < 2; ++i) {
      while (atomicAdd(&flags[i], 0u) == 0) __nanosleep(20);      //@ fixed
      while (atomicAdd(&flags[0], 0u) == 0) __nanosleep(20);      //@ broken
      __threadfence();
      y[i] = data[i];                                             //@ reads
    }
  }
}

//@ defect local_of_another_thread: out-of-bounds
//@   The address of a thread's own variable is handed to another thread, for whom it means something else.
//@ run block=64
//@ in x = i32(arange(64))
//@ out y: i32[64] = roll(x, -1)
//@ also race-shared
extern "C" __global__ void local_of_another_thread(const int* x, int* y) {
  __shared__ int* places[64];
  __shared__ int values[64];
  const int t = threadIdx.x;
  int mine = x[t];           //@ broken
  places[t] = &mine;         //@ broken
  values[t] = x[t];          //@ fixed
  places[t] = &values[t];    //@ fixed
  __syncthreads();
  y[t] = *places[(t + 1) & 63];  //@ reads
  __syncthreads();
}

//@ defect bin_out_of_range: shared-overflow
//@   An atomic is an access like any other: a value that has no bin counts in somebody else's memory.
//@ run block=32
//@ in x = i32(arange(32) % 20)
//@ out y: i32[16] = [2 if i < 12 else 1 for i in range(16)]
extern "C" __global__ void bin_out_of_range(const int* x, int* y) {
  __shared__ int bins[16];  //@ declares
  const int t = threadIdx.x;
  if (t < 16) bins[t] = 0;
  __syncthreads();
  if (x[t] < 16)                 //@ fixed
    atomicAdd(bins + x[t], 1);   //@ here
  __syncthreads();
  if (t < 16) y[t] = bins[t];
}

//@ defect atomic_past_the_end: out-of-bounds
//@   The same in global memory.
//@ run block=32
//@ in x = i32(arange(32) % 5)
//@ inout y: i32[4] = zeros(4) -> [7, 7, 6, 6]
extern "C" __global__ void atomic_past_the_end(const int* x, int* y) {
  if (x[threadIdx.x] < 4)               //@ fixed
    atomicAdd(y + x[threadIdx.x], 1);   //@ here
}

//@ defect bulk_past_the_end: out-of-bounds
//@   The last tile is copied whole, although the input ends within it.
//@ run block=64
//@ in n = 48
//@ in x = i32(arange(48))
//@ out y: i32[48] = x
extern "C" __global__ void bulk_past_the_end(const int* x, int* y, int n) {
  __shared__ __align__(128) int s[64];
  __shared__ uint64_t full;
  const int t = threadIdx.x;
  if (t == 0) {
    mbarrier_init(&full, 1);
    fence_mbarrier_init();
    const uint32_t bytes = 4 * n;  //@ fixed
    const uint32_t bytes = 256;    //@ broken
    mbarrier_arrive_expect_tx(&full, bytes);
    bulk_load(s, x, bytes, &full);  //@ here
  }
  __syncthreads();
  mbarrier_wait(&full, 0);
  if (t < n) y[t] = s[t];
}

//@ defect bulk_store_to_input: const-write
//@   Source and destination pointers of a bulk store are exchanged by way of a cast.
//@ run block=32
//@ in x = i32(arange(32))
//@ out y: i32[32] = 2 * x
extern "C" __global__ void bulk_store_to_input(const int* x, int* y) {
  __shared__ __align__(128) int s[32];
  const int t = threadIdx.x;
  s[t] = 2 * x[t];
  y[t] = 2 * x[t];
  fence_proxy_async();
  __syncwarp();
  if (elect_one()) {
    bulk_store(y, s, 128);                  //@ fixed
    bulk_store(const_cast<int*>(x), s, 128);  //@ broken; here
    bulk_commit();
    bulk_wait<0>();
  }
}

//@ defect copy_of_nothing: uninitialised-read
//@   An asynchronous copy reads a buffer that nobody has filled.
//@ run block=32
//@ in x = i32(arange(32))
//@ scratch w: i32[32]
//@ out y: i32[32] = x
extern "C" __global__ void copy_of_nothing(const int* x, int* w, int* y) {
  __shared__ int s[32];
  const int t = threadIdx.x;
  w[t] = x[t];              //@ fixed
  cp_async<4>(s + t, w + t);  //@ broken; here
  cp_async<4>(s + t, x + t);  //@ fixed
  cp_async_commit();
  cp_async_wait_all();
  y[t] = s[t];
}

//@ defect global_not_proxy_fenced: missing-proxy-fence
//@   Ordinary stores to global memory, read back by a bulk copy: these are two proxies in global memory too.
//@ run block=32
//@ in x = i32(arange(32))
//@ scratch w: i32[32]
//@ out y: i32[32] = x
extern "C" __global__ void global_not_proxy_fenced(const int* x, int* w, int* y) {
  __shared__ __align__(128) int s[32];
  __shared__ uint64_t full;
  const int t = threadIdx.x;
  if (t == 0) {
    mbarrier_init(&full, 1);
    fence_mbarrier_init();
  }
  w[t] = x[t];                         //@ writes
  fence_proxy_async();                 //@ fixed
  __syncthreads();
  if (t == 0) {
    mbarrier_arrive_expect_tx(&full, 128);
    bulk_load(s, w, 128, &full);       //@ bulk
  }
  mbarrier_wait(&full, 0);
  y[t] = s[t];
}

//@ defect copies_not_counted: in-flight-read
//@   The barrier is told of the copies by an ordinary arrival, which does not wait for them.
//@ run block=64
//@ in x = i32(arange(32))
//@ out y: i32[32] = x[::-1]
extern "C" __global__ void copies_not_counted(const int* x, int* y) {
  __shared__ int s[32];
  __shared__ uint64_t full;
  const int t = threadIdx.x;
  if (t == 0) mbarrier_init(&full, 32);
  __syncthreads();
  if (t < 32) {
    cp_async<4>(s + t, x + t);                //@ cp.async
    cp_async_mbarrier_arrive_noinc(&full);    //@ fixed
    mbarrier_arrive(&full);                   //@ broken
  } else {
    mbarrier_wait(&full, 0);
    y[t - 32] = s[63 - t];                    //@ reads
  }
}

//@ defect peer_copy_not_waited_for: in-flight-read
//@   A block copies its tile into its peer's shared memory, and the peer goes by the cluster barrier, not by the bytes.
//@ run grid=2 block=32 cluster=2
//@ in x = i32(arange(64))
//@ out y: i32[64] = roll(x, 32)
//@ also exited-peer
extern "C" __global__ void peer_copy_not_waited_for(const int* x, int* y) {
  __shared__ __align__(128) int mine[32], theirs[32];
  __shared__ uint64_t full;
  const int t = threadIdx.x, i = blockIdx.x * 32 + t;
  const unsigned peer = cluster_rank() ^ 1;
  if (t == 0) {
    mbarrier_init(&full, 1);
    fence_mbarrier_init();
    mbarrier_arrive_expect_tx(&full, 128);
  }
  mine[t] = x[i];
  fence_proxy_async();
  cluster_sync();
  if (t == 0) bulk_copy_cluster(cluster_map(theirs, peer), mine, 128, cluster_map(&full, peer));  //@ bulk
  cluster_sync();                //@ broken
  mbarrier_wait_cluster(&full, 0);  //@ fixed
  y[i] = theirs[t];              //@ reads
  mbarrier_wait_cluster(&full, 0);  //@ broken
  cluster_sync();
}

//@ defect source_is_gone: exited-peer
//@   A block sends its tile to its peer and exits; only the peer waits for the copy, which still reads the tile.
//@ run grid=2 block=32 cluster=2
//@ in x = i32(arange(64))
//@ out y: i32[64] = stack([zeros(32), 2 * x[:32]]).ravel()
extern "C" __global__ void source_is_gone(const int* x, int* y) {
  __shared__ __align__(128) int mine[32], theirs[32];
  __shared__ __align__(8) uint64_t full;
  const int t = threadIdx.x, rank = cluster_rank(), i = 32 * blockIdx.x + t;
  y[i] = 0;
  mine[t] = 2 * x[i];
  if (t == 0) {
    mbarrier_init(&full, 1);
    fence_mbarrier_init();
    mbarrier_arrive_expect_tx(&full, 128);
  }
  fence_proxy_async();
  cluster_sync();
  if (rank == 0) {
    if (t == 0) bulk_copy_cluster(cluster_map(theirs, 1), mine, 128, cluster_map(&full, 1));  //@ here
  } else {
    mbarrier_wait_cluster(&full, 0);
    y[i] = theirs[t];
  }
  cluster_sync();  //@ fixed
}

//@ defect matrix_stored_late: race-warp
//@   stmatrix writes rows that other lanes read, and is no barrier for them.
//@ run block=32
//@ in x = i32(arange(32) * 65537)
//@ out y: i32[32] = x
extern "C" __global__ void matrix_stored_late(const int* x, int* y) {
  __shared__ __align__(16) int s[32];
  const int t = threadIdx.x;
  const uint32_t r[1] = {static_cast<uint32_t>(x[t])};
  stmatrix<1>(s + 4 * (t % 8), r);  //@ writes
  __syncwarp();                     //@ fixed
  y[t] = s[t];                      //@ reads
}

//@ defect quotient_overflows: arithmetic
//@   The smallest int has no negative.
//@ run block=32
//@ in x = i32(arange(32))
//@ in[broken] x = i32(-2147483648 + arange(32))
//@ in divisor = -1
//@ out y: i32[32] = -x
extern "C" __global__ void quotient_overflows(const int* x, int* y, int divisor) {
  y[threadIdx.x] = x[threadIdx.x] / divisor;  //@ here
}

//@ defect matrix_turned_early: race-warp
//@   stmatrix and ldmatrix wait for all lanes, but order no memory among them; each lane gets what others have stored.
//@ run block=32
//@ in x = i32(arange(64)).reshape(8, 8)
//@ out y: i32[32] = x.T.ravel()[::2] + 65536 * x.T.ravel()[1::2]
extern "C" __global__ void matrix_turned_early(const int* x, int* y) {
  __shared__ __align__(16) unsigned short s[64];
  const int t = threadIdx.x;
  const uint32_t r[1] = {static_cast<uint32_t>(x[2 * t] | x[2 * t + 1] << 16)};
  stmatrix<1>(s + 8 * (t % 8), r);        //@ writes
  __syncwarp();                           //@ fixed
  uint32_t q[1];
  ldmatrix<1, true>(q, s + 8 * (t % 8));  //@ reads
  y[t] = static_cast<int>(q[0]);
}

//@ defect row_of_its_own: race-warp
//@   Each lane fills the row whose address it gives to ldmatrix; the parts of that row go to four other lanes.
//@ run block=32
//@ in x = i32(arange(32))
//@ out y: i32[32] = x
extern "C" __global__ void row_of_its_own(const int* x, int* y) {
  __shared__ __align__(16) int s[32];
  const int t = threadIdx.x;
  if (t < 8)
    for (int i = 0; i < 4; ++i) s[4 * t + i] = x[4 * t + i];  //@ writes
  __syncwarp();                                               //@ fixed
  uint32_t q[1];
  ldmatrix<1>(q, s + 4 * (t % 8));                            //@ reads
  y[t] = static_cast<int>(q[0]);
}
