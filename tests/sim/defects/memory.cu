// Memory: reads and writes of bytes that are not there, not aligned, not yet written, or not the kernel's to write.
//@ arch sm_80
#include <spak/cuda/device.h>

//@ defect tail_guard: out-of-bounds
//@   The guard of the tail lets one element too many pass: the thread after the last writes past the end.
//@ run grid=2 block=64
//@ in n = 100
//@ out y: i32[100] = 2 * arange(100)
extern "C" __global__ void tail_guard(int* y, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;  //@ fixed
  if (i > n) return;   //@ broken
  y[i] = 2 * i;        //@ writes
}

//@ defect halo_before_start: out-of-bounds
//@   A stencil reads its left neighbour, and the first element of all has none.
//@ run grid=2 block=32
//@ in x = f32(arange(64) ** 2)
//@ out y: f32[64] = x - append(0, x[:-1])
extern "C" __global__ void halo_before_start(const float* x, float* y) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  const float left = i > 0 ? x[i - 1] : 0;  //@ fixed
  const float left = x[i - 1];              //@ broken; reads
  y[i] = x[i] - left;
}

//@ defect vector_tail: out-of-bounds
//@   Four elements at a time, and the number of elements is no multiple of four.
//@ run block=32
//@ in n = 102
//@ in x = f32(arange(102))
//@ out y: f32[102] = x + 1
extern "C" __global__ void vector_tail(const float* x, float* y, int n) {
  const int i = 4 * threadIdx.x;
  if (i >= n) return;            //@ broken
  if (i + 3 >= n) {              //@ fixed
    for (int k = i; k < n; ++k) y[k] = x[k] + 1;  //@ fixed
    return;                      //@ fixed
  }                              //@ fixed
  const float4 v = *reinterpret_cast<const float4*>(x + i);  //@ reads
  *reinterpret_cast<float4*>(y + i) = make_float4(v.x + 1, v.y + 1, v.z + 1, v.w + 1);
}

//@ defect row_stride: out-of-bounds
//@   Rows and columns are exchanged in the index: every read is inside the matrix until the last rows.
//@ run grid=(2, 2) block=(8, 8)
//@ in rows = 10
//@ in cols = 14
//@ in x = f32(arange(140)).reshape(10, 14)
//@ out y: f32[14, 10] = x.T
extern "C" __global__ void row_stride(const float* x, float* y, int rows, int cols) {
  const int c = blockIdx.x * 8 + threadIdx.x, r = blockIdx.y * 8 + threadIdx.y;
  if (r < rows && c < cols) {
    y[c * rows + r] = x[r * cols + c];  //@ fixed
    y[c * cols + r] = x[r * cols + c];  //@ broken; writes
  }
}

//@ defect block_too_many: out-of-bounds
//@   The grid is rounded up, and the kernel trusts that it was not.
//@ run grid=4 block=32
//@ in n = 100
//@ in x = i32(arange(100))
//@ out y: i32[100] = -x
extern "C" __global__ void block_too_many(const int* x, int* y, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;  //@ fixed
  y[i] = -x[i];        //@ reads
}

//@ defect shared_halo: shared-overflow
//@   The tile in shared memory has room for the block, not for the halo beside it.
//@ run block=64
//@ in x = f32(arange(65))
//@ out y: f32[64] = x[:-1] + x[1:]
extern "C" __global__ void shared_halo(const float* x, float* y) {
  __shared__ float tile[64 + 1];  //@ fixed
  __shared__ float tile[64];      //@ broken; declares
  const int t = threadIdx.x;
  tile[t] = x[t];
  if (t == 0) *(tile + 64 + t) = x[64];  //@ writes
  __syncthreads();
  y[t] = tile[t] + (t < 63 ? tile[t + 1] : x[64]);
}

//@ defect shared_neighbour: shared-overflow
//@   One shared array ends where the next begins: writing past the first quietly changes the second.
//@ also race-warp
//@ run block=32
//@ in x = i32(arange(32))
//@ out y: i32[32] = x + 7
extern "C" __global__ void shared_neighbour(const int* x, int* y) {
  __shared__ int values[32];    //@ declares
  __shared__ int bias[32];
  const int t = threadIdx.x;
  bias[t] = 7;
  __syncthreads();
  values[t] = x[t];             //@ fixed
  int* p = values + t;          //@ broken
  for (int k = 0; k <= 32 - t; ++k) p[k] = x[t];  //@ broken; writes
  __syncthreads();              //@ broken
  y[t] = x[t] + bias[t];
  if (values[t] < 0) y[t] = 0;
}

//@ defect local_array: local-out-of-bounds
//@   A small array of the thread's own is indexed by data, and the data may be larger than it.
//@ run block=32
//@ in x = i32(arange(32) % 5)
//@ out y: i32[32] = where(x < 4, 10 * x, 0)
extern "C" __global__ void local_array(const int* x, int* y) {
  int table[4];
  for (int k = 0; k < 4; ++k) table[k] = 10 * k;
  const int i = x[threadIdx.x];
  y[threadIdx.x] = i < 4 ? table[i] : 0;  //@ fixed
  y[threadIdx.x] = table[i];              //@ broken; indexes
}

//@ defect local_shift: local-out-of-bounds
//@   A window of registers is shifted one step too far.
//@ run block=32
//@ in x = f32(arange(40))
//@ out y: f32[32] = x[1:33] + x[4:36]
extern "C" __global__ void local_shift(const float* x, float* y) {
  float window[4];
  for (int k = 0; k < 4; ++k) window[k] = x[threadIdx.x + k];
  for (int k = 0; k < 3; ++k) window[k] = window[k + 1];  //@ fixed
  for (int k = 0; k < 4; ++k) window[k] = window[k + 1];  //@ broken; indexes
  window[3] = x[threadIdx.x + 4];
  y[threadIdx.x] = window[0] + window[3];
}

//@ defect vector_misaligned: misaligned
//@   A row starts at any element, a `float4` only at every fourth.
//@ run block=8
//@ in pitch = 33
//@ in x = f32(arange(8 * 33)).reshape(8, 33)
//@ out y: f32[8] = x[:, :4].sum(1)
extern "C" __global__ void vector_misaligned(const float* x, float* y, int pitch) {
  const float* row = x + threadIdx.x * pitch;
  const float4 v = make_float4(row[0], row[1], row[2], row[3]);  //@ fixed
  const float4 v = *reinterpret_cast<const float4*>(row);        //@ broken; binds
  y[threadIdx.x] = v.x + v.y + v.z + v.w;
}

//@ defect shared_misaligned: misaligned
//@   Two arrays are carved out of dynamic shared memory, and the second needs more alignment than the first leaves.
//@ run block=32 smem=512
//@ in n = 33
//@ in x = f64(arange(32))
//@ out y: f64[32] = x[::-1]
extern "C" __global__ void shared_misaligned(const double* x, double* y, int n) {
  extern __shared__ __align__(16) unsigned char arena[];
  int* flags = reinterpret_cast<int*>(arena);
  double* values = reinterpret_cast<double*>(arena + ((n * sizeof(int) + 7) & ~size_t{7}));  //@ fixed
  double* values = reinterpret_cast<double*>(arena + n * sizeof(int));                       //@ broken
  flags[threadIdx.x] = 1;
  values[threadIdx.x] = x[threadIdx.x];  //@ writes
  __syncthreads();
  y[threadIdx.x] = values[31 - threadIdx.x] * flags[31 - threadIdx.x];
}

//@ defect local_misaligned: misaligned
//@   Bytes of the thread's own are read as a word from an odd place.
//@ run block=32
//@ in x = u32(arange(32) * 0x01010101)
//@ out y: u32[32] = x
extern "C" __global__ void local_misaligned(const unsigned* x, unsigned* y) {
  __align__(8) unsigned char bytes[8];
  for (int k = 0; k < 8; ++k) bytes[k] = static_cast<unsigned char>(x[threadIdx.x] >> (8 * (k & 3)));
  const int shift = threadIdx.x & 3;
  unsigned word = 0;                                                              //@ fixed
  for (int k = 0; k < 4; ++k) word |= unsigned{bytes[shift + k]} << (8 * k);      //@ fixed
  const unsigned word = *reinterpret_cast<volatile unsigned*>(bytes + shift);     //@ broken; reads
  y[threadIdx.x] = word;
}

//@ defect freed_buffer: use-after-free
//@   The buffer was given back before the launch; whoever gets it next shares it.
//@ run block=32
//@ in x = f32(arange(32))
//@ freed[broken] x
//@ out y: f32[32] = x + 1
extern "C" __global__ void freed_buffer(const float* x, float* y) {
  y[threadIdx.x] = x[threadIdx.x] + 1;  //@ reads
}

//@ defect freed_output: use-after-free
//@   The result goes to a buffer that is gone.
//@ run block=32
//@ in x = f32(arange(32))
//@ out y: f32[32] = 3 * x
//@ freed[broken] y
extern "C" __global__ void freed_output(const float* x, float* y) {
  y[threadIdx.x] = 3 * x[threadIdx.x];  //@ writes
}

//@ defect accumulator_not_cleared: uninitialised-read
//@   Bins in shared memory are counted up from whatever was there before.
//@ run block=64
//@ in x = i32(arange(64) % 16)
//@ out y: i32[16] = ones(16) * 4
extern "C" __global__ void accumulator_not_cleared(const int* x, int* y) {
  __shared__ int bins[16];
  if (threadIdx.x < 16) bins[threadIdx.x] = 0;  //@ fixed
  __syncthreads();
  atomicAdd(&bins[x[threadIdx.x]], 1);          //@ accesses atomically
  __syncthreads();
  if (threadIdx.x < 16) y[threadIdx.x] = bins[threadIdx.x];
}

//@ defect padding_not_filled: uninitialised-read
//@   The tail of a tile is never written, yet the reduction adds all of it.
//@ run block=64
//@ in n = 50
//@ in x = f32(arange(50))
//@ out y: f32[1] = x.sum()
extern "C" __global__ void padding_not_filled(const float* x, float* y, int n) {
  __shared__ float tile[64];
  const int t = threadIdx.x;
  if (t < n) tile[t] = x[t];        //@ broken
  tile[t] = t < n ? x[t] : 0.0f;    //@ fixed
  for (int half = 32; half > 0; half /= 2) {
    __syncthreads();
    if (t < half) tile[t] += tile[t + half];  //@ reads
  }
  if (t == 0) y[0] = tile[0];
}

//@ defect output_accumulated: uninitialised-read
//@   The kernel adds to its output, and nobody has set it to zero.
//@ run block=32
//@ in x = f32(arange(32))
//@ out y: f32[32] = x
extern "C" __global__ void output_accumulated(const float* x, float* y) {
  y[threadIdx.x] = x[threadIdx.x];   //@ fixed
  y[threadIdx.x] += x[threadIdx.x];  //@ broken; reads
}

//@ defect scratch_gap: uninitialised-read
//@   Every second element of a scratch buffer is written, and every element is read.
//@ run block=32
//@ in x = f32(arange(64))
//@ scratch w: f32[64]
//@ out y: f32[64] = x
extern "C" __global__ void scratch_gap(const float* x, float* w, float* y) {
  const int t = threadIdx.x;
  for (int i = 2 * t; i < 2 * t + 2; ++i) w[i] = x[i];  //@ fixed
  for (int i = 2 * t; i < 2 * t + 1; ++i) w[i] = x[i];  //@ broken
  for (int i = 2 * t; i < 2 * t + 2; ++i) y[i] = w[i];  //@ reads
}

//@ defect input_scaled_in_place: const-write
//@   The kernel writes where its input is, because a cast has taken the `const` away.
//@ run block=32
//@ in x = f32(arange(32))
//@ out y: f32[32] = 2 * x + 1
extern "C" __global__ void input_scaled_in_place(const float* x, float* y) {
  const int t = threadIdx.x;
  const float scaled = 2 * x[t];  //@ fixed
  const_cast<float*>(x)[t] *= 2;  //@ broken; writes
  const float scaled = x[t];      //@ broken
  y[t] = scaled + 1;
}

//@ defect arguments_exchanged: const-write
//@   Source and destination are exchanged in the call of a helper.
//@ run block=32
//@ in x = f32(arange(32))
//@ out y: f32[32] = x
//@ also uninitialised-read
__device__ void copy_element(const float* from, float* to, int i) {
  to[i] = from[i];  //@ writes
}
extern "C" __global__ void arguments_exchanged(float* x, float* y) {
  copy_element(x, y, threadIdx.x);  //@ fixed
  copy_element(y, x, threadIdx.x);  //@ broken
}

//@ defect dynamic_too_small: shared-overflow
//@   The launch asks for the bytes of one tile, and the kernel keeps two.
//@ run block=64 smem=512
//@ run[broken] block=64 smem=256
//@ in x = f32(arange(64))
//@ out y: f32[64] = 2 * x + 1
extern "C" __global__ void dynamic_too_small(const float* x, float* y) {
  extern __shared__ float tiles[];  //@ declares
  float* first = tiles;
  float* second = tiles + 64;
  first[threadIdx.x] = x[threadIdx.x];
  second[threadIdx.x] = x[threadIdx.x] + 1;  //@ writes
  y[threadIdx.x] = first[threadIdx.x] + second[threadIdx.x];
}

//@ defect stages_too_many: shared-overflow
//@   A ring of stages is sized for as many stages as there were before someone added one.
//@ run block=32 smem=384
//@ in x = i32(arange(128))
//@ out y: i32[32] = x.reshape(4, 32).sum(0)
extern "C" __global__ void stages_too_many(const int* x, int* y) {
  constexpr int kStages = 3;  //@ fixed
  constexpr int kStages = 4;  //@ broken
  extern __shared__ int ring[];  //@ declares
  int sum = 0;
  for (int tile = 0; tile < 4; ++tile) {
    int* stage = ring + 32 * (tile % kStages);
    stage[threadIdx.x] = x[32 * tile + threadIdx.x];  //@ writes
    sum += stage[threadIdx.x];
  }
  y[threadIdx.x] = sum;
}

//@ defect row_times_pitch: index-overflow
//@   A row's offset is computed in 32 bits, and the matrix has more than 2^31 elements.
//@ run block=32
//@ in row = 40000
//@ in pitch = 65536
//@ in x = sparse(u8, 40000 * 65536 + 32)
//@ out y: u8[32] = zeros(32)
//@ also out-of-bounds, invalid-address
extern "C" __global__ void row_times_pitch(const unsigned char* x, unsigned char* y, int row, int pitch) {
  const long long start = static_cast<long long>(row) * pitch;  //@ fixed
  const int start = row * pitch;                                //@ broken; computes
  y[threadIdx.x] = x[start + threadIdx.x];
}

//@ defect next_index: index-overflow
//@   The last thread looks one step ahead, the step wraps to a negative index, and that is below the end.
//@ run block=32
//@ in n = 2147483600
//@ in x = sparse(u8, 2147483600)
//@ out y: u8[32] = zeros(32)
//@ also out-of-bounds, invalid-address
extern "C" __global__ void next_index(const unsigned char* x, unsigned char* y, int n) {
  const int i = n - 32 + static_cast<int>(threadIdx.x);
  const long long next = i + 128ll;  //@ fixed
  const int next = i + 128;          //@ broken; computes
  y[threadIdx.x] = x[i] + (next < n ? x[next] : 0);
}

//@ defect null_pointer: invalid-address
//@   An optional argument is left out, and the kernel reads it all the same.
//@ run block=32
//@ in bias = null
//@ in x = f32(arange(32))
//@ out y: f32[32] = x
extern "C" __global__ void null_pointer(const float* x, const float* bias, float* y) {
  const float b = bias != nullptr ? bias[threadIdx.x] : 0;  //@ fixed
  const float b = bias[threadIdx.x];                        //@ broken; reads
  y[threadIdx.x] = x[threadIdx.x] + b;
}

//@ defect recursion: stack-overflow
//@   The recursion has no bottom for an input of zero.
//@ run block=32
//@ in x = i32(arange(32))
//@ out y: i32[32] = x * (x + 1) // 2
__device__ __noinline__ int sum_below(int n, volatile int* trail) {
  volatile int here[64];
  here[n & 63] = *trail;  //@ traps
  if (n <= 0) return 0;  //@ fixed
  if (n == 1) return 1;  //@ broken
  return n + sum_below(n - 1, &here[n & 63]) + 0 * here[n & 63];
}
extern "C" __global__ void recursion(const int* x, int* y) {
  volatile int start = 0;
  y[threadIdx.x] = sum_below(x[threadIdx.x], &start);
}
