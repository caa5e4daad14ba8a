// Accesses that nothing orders, each with its repaired twin (`_ok`). A line's `//1` and `//2` name the parties.

// --- within a block ----------------------------------------------------------------------------------------------------
extern "C" __global__ void no_barrier(float* out) {
  __shared__ float s[256];
  const int t = threadIdx.x;
  s[t] = t;  //2
  out[t] = s[255 - t];  //1
}
extern "C" __global__ void no_barrier_ok(float* out) {
  __shared__ float s[256];
  const int t = threadIdx.x;
  s[t] = t;
  __syncthreads();
  out[t] = s[255 - t];
}
extern "C" __global__ void overwritten(const float* in, float* out) {
  __shared__ float s[256];
  const int t = threadIdx.x;
  float sum = 0;
  for (int k = 0; k < 4; ++k) {
    s[t] = in[t];  //1
    __syncthreads();
    sum += s[(t + 64) % 256];  //2
  }
  out[t] = sum;
}
extern "C" __global__ void overwritten_ok(const float* in, float* out) {
  __shared__ float s[256];
  const int t = threadIdx.x;
  float sum = 0;
  for (int k = 0; k < 4; ++k) {
    s[t] = in[t];
    __syncthreads();
    sum += s[(t + 64) % 256];
    __syncthreads();
  }
  out[t] = sum;
}
// Only one thread of 256 reads what another one overwrites, and reads its own first.
extern "C" __global__ void lonely_reader(float* out) {
  __shared__ float s[256];
  const int t = threadIdx.x;
  s[t] = 1;
  __syncthreads();
  float x = s[t];
  if (t == 200) x += s[7];  //2
  if (t == 7) x += s[7];
  if (t == 7) s[7] = 5;  //1
  out[t] = x;
}
extern "C" __global__ void different_values(float* out) {
  __shared__ float s[1];
  s[0] = threadIdx.x;  //12
  __syncthreads();
  out[threadIdx.x] = s[0];
}
extern "C" __global__ void same_value_ok(float* out) {
  __shared__ float s[1];
  s[0] = 3;
  __syncthreads();
  out[threadIdx.x] = s[0];
}
extern "C" __global__ void counter(int* out) {
  __shared__ int n;
  if (threadIdx.x == 0) n = 0;
  __syncthreads();
  n += 1;  //12
  __syncthreads();
  out[threadIdx.x] = n;
}
extern "C" __global__ void counter_ok(int* out) {
  __shared__ int n;
  if (threadIdx.x == 0) n = 0;
  __syncthreads();
  atomicAdd(&n, 1);
  __syncthreads();
  out[threadIdx.x] = n;
}
extern "C" __global__ void histogram(const int* in, int* out) {
  __shared__ int bins[64];
  const int t = threadIdx.x;
  bins[t] = 0;
  __syncthreads();
  atomicAdd(&bins[in[t] % 64], 1);  //2
  out[t] = bins[t];  //1
}
extern "C" __global__ void histogram_ok(const int* in, int* out) {
  __shared__ int bins[64];
  const int t = threadIdx.x;
  bins[t] = 0;
  __syncthreads();
  atomicAdd(&bins[in[t] % 64], 1);
  __syncthreads();
  out[t] = bins[t];
}
// Bytes and halves of one word belong to different threads.
extern "C" __global__ void parts_ok(int* out) {
  __shared__ __align__(4) unsigned char bytes[256];
  __shared__ unsigned short halves[256];
  const int t = threadIdx.x;
  for (int round = 0; round < 3; ++round) {
    bytes[t] = static_cast<unsigned char>(t);
    halves[t] = static_cast<unsigned short>(bytes[t]);
    __syncthreads();
    const unsigned word = reinterpret_cast<const unsigned*>(bytes)[t / 4];
    out[t] = static_cast<int>(word) + halves[255 - t];
    __syncthreads();
    if (t < 64) reinterpret_cast<unsigned*>(bytes)[t] = 0;
    __syncthreads();
  }
}
extern "C" __global__ void parts(int* out) {
  __shared__ unsigned short halves[256];
  const int t = threadIdx.x;
  halves[t] = static_cast<unsigned short>(t);  //2
  out[t] = halves[t ^ 32];  //1
}
extern "C" __global__ void word_of_parts(unsigned* out) {
  __shared__ __align__(4) unsigned short halves[256];
  const int t = threadIdx.x;
  halves[t] = static_cast<unsigned short>(t);  //2
  out[t] = reinterpret_cast<const unsigned*>(halves)[t / 2 ^ 64];  //1
}

// --- within a warp ------------------------------------------------------------------------------------------------------
extern "C" __global__ void in_step(float* out) {
  __shared__ float s[32];
  const int t = threadIdx.x;
  s[t] = t;
  __syncwarp();
  for (int d = 16; d > 0; d /= 2)
    if (t < d) s[t] += s[t + d];  //12
  out[t] = s[0];
}
extern "C" __global__ void in_step_volatile(float* out) {
  __shared__ float memory[64];
  volatile float* s = memory;
  const int t = threadIdx.x;
  s[t] = t;
  s[t + 32] = 0;
  __syncthreads();
  for (int d = 16; d > 0; d /= 2) s[t] = s[t] + s[t + d];  //12
  out[t] = memory[t];
}
extern "C" __global__ void in_step_ok(float* out) {
  __shared__ float s[64];
  const int t = threadIdx.x;
  s[t] = t;
  s[t + 32] = 0;
  __syncwarp();
  for (int d = 16; d > 0; d /= 2) {
    const float x = s[t + d];
    __syncwarp();
    s[t] += x;
    __syncwarp();
  }
  out[t] = s[t];
}
// Each warp has its own part and never meets the others.
extern "C" __global__ void warps_alone_ok(float* out) {
  __shared__ float s[8][32];
  const int w = threadIdx.x / 32, l = threadIdx.x % 32;
  float sum = 0;
  for (int k = 0; k < 20; ++k) {
    s[w][l] = l + k;
    __syncwarp();
    sum += s[w][31 - l];
    __syncwarp();
  }
  out[threadIdx.x] = sum;
}
extern "C" __global__ void warps_alone(float* out) {
  __shared__ float s[8][32];
  const int w = threadIdx.x / 32, l = threadIdx.x % 32;
  s[w][l] = l;  //2
  __syncwarp();
  out[threadIdx.x] = s[(w + 1) % 8][31 - l];  //1
}
// A shuffle brings lanes together, but orders no memory.
extern "C" __global__ void shuffle_is_no_barrier(float* out) {
  __shared__ float s[32];
  const int t = threadIdx.x;
  s[t] = t;  //2
  const float x = __shfl_xor_sync(0xFFFFFFFFu, 1.0f, 1);
  out[t] = s[31 - t] + x;  //1
}
// Order passes from one half of a warp to the other only where they meet.
extern "C" __global__ void halves_meet_ok(float* out) {
  __shared__ float s[32];
  const int t = threadIdx.x;
  const unsigned half = t < 16 ? 0xFFFFu : 0xFFFF0000u;
  s[t] = t;
  __syncwarp(half);
  const float x = s[t ^ 1];
  __syncwarp();
  s[t ^ 16] = x;
  __syncwarp();
  out[t] = s[31 - t];
}
extern "C" __global__ void halves_meet(float* out) {
  __shared__ float s[32];
  const int t = threadIdx.x;
  const unsigned half = t < 16 ? 0xFFFFu : 0xFFFF0000u;
  s[t] = t;  //2
  __syncwarp(half);
  out[t] = s[t ^ 16];  //1
}

// --- global memory ------------------------------------------------------------------------------------------------------
extern "C" __global__ void blocks_share(float* out) {
  out[threadIdx.x] = blockIdx.x;  //12
}
extern "C" __global__ void blocks_share_ok(float* out) {
  out[blockIdx.x * blockDim.x + threadIdx.x] = blockIdx.x;
}
extern "C" __global__ void neighbour_blocks(float* x) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  x[i + 1] = x[i] + 1;  //12
}
extern "C" __global__ void sums(const float* in, float* out) {
  *out += in[blockIdx.x];  //12
}
extern "C" __global__ void sums_ok(const float* in, float* out) {
  atomicAdd(out, in[blockIdx.x]);
}
extern "C" __global__ void narrow_atomics(int* out) {
  atomicAdd_block(out, 1);  //12
}
extern "C" __global__ void narrow_atomics_ok(int* out) {
  atomicAdd(out, 1);
}
extern "C" __global__ void through_global(float* x) {
  x[threadIdx.x] = threadIdx.x;  //2
  x[64 + threadIdx.x] = x[63 - threadIdx.x];  //1
}
extern "C" __global__ void through_global_ok(float* x) {
  x[threadIdx.x] = threadIdx.x;
  __syncthreads();
  x[64 + threadIdx.x] = x[63 - threadIdx.x];
}
extern "C" __global__ void halves_of_blocks_ok(unsigned short* x) {
  x[2 * threadIdx.x + blockIdx.x] = 1;
}
