// Fences, flags, locks and atomics: programs that publish data correctly (`_ok`), and what becomes of them when a part is left
// out. A line's `//1` and `//2` name the parties.

__device__ unsigned ticket = 0;
extern "C" __global__ void reset() { ticket = 0; }

// The programming guide's sum: the last block adds what all blocks have published.
template <bool fenced>
__device__ void last_block(const float* in, float* part, float* out) {
  __shared__ bool last;
  __shared__ float s[64];
  const int t = threadIdx.x;
  s[t] = in[blockIdx.x * 64 + t];
  __syncthreads();
  if (t == 0) {
    float sum = 0;
    for (int i = 0; i < 64; ++i) sum += s[i];
    part[blockIdx.x] = sum;
    if (fenced) __threadfence();
    last = atomicInc(&ticket, gridDim.x - 1) == gridDim.x - 1;
  }
  __syncthreads();
  if (last && t == 0) {
    float sum = 0;
    for (unsigned i = 0; i < gridDim.x; ++i) sum += part[i];
    *out = sum;
    ticket = 0;  // it has seen what all others did to it
  }
}
extern "C" __global__ void last_block_ok(const float* in, float* part, float* out) { last_block<true>(in, part, out); }
extern "C" __global__ void last_block_unfenced(const float* in, float* part, float* out) { last_block<false>(in, part, out); }

// Every thread publishes, every thread fences, one counts.
extern "C" __global__ void all_fence_ok(float* part, float* out) {
  __shared__ unsigned last;
  part[blockIdx.x * blockDim.x + threadIdx.x] = 1;
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) last = atomicAdd(&ticket, 1) == gridDim.x - 1;
  __syncthreads();
  if (last) {
    float sum = 0;
    for (unsigned i = threadIdx.x; i < gridDim.x * blockDim.x; i += blockDim.x) sum += part[i];
    out[threadIdx.x] = sum;
  }
}

// A chain of blocks through volatile flags.
extern "C" __global__ void look_back_ok(float* sum, volatile int* flag) {
  const int b = blockIdx.x;
  if (threadIdx.x == 0) {
    float x = 1;
    if (b > 0) {
      while (flag[b - 1] == 0) {
      }
      __threadfence();
      x += sum[b - 1];
    }
    sum[b] = x;
    __threadfence();
    flag[b] = 1;
  }
}
extern "C" __global__ void look_back_unfenced(float* sum, volatile int* flag) {
  const int b = blockIdx.x;
  if (threadIdx.x == 0) {
    float x = 1;
    if (b > 0) {
      while (flag[b - 1] == 0) {
      }
      __threadfence();
      x += sum[b - 1];  //1
    }
    sum[b] = x;  //2
    flag[b] = 1;
  }
}
extern "C" __global__ void look_back_plain(float* sum, int* flag) {
  const int b = blockIdx.x;
  if (threadIdx.x == 0) {
    float x = 1;
    if (b > 0 && flag[b - 1] != 0) x += sum[b - 1];  //1
    sum[b] = x;
    __threadfence();
    flag[b] = 1;  //2
  }
}
// The reader hands what it saw to its block by a barrier.
extern "C" __global__ void flag_then_barrier_ok(float* data, volatile int* flag, float* out) {
  if (blockIdx.x == 0) {
    data[threadIdx.x] = threadIdx.x;
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) *flag = 1;
  } else {
    if (threadIdx.x == 0)
      while (*flag == 0) {
      }
    __syncthreads();
    out[threadIdx.x] = data[blockDim.x - 1 - threadIdx.x];
  }
}

template <bool acquire, bool release>
__device__ void locked(int* lock, float* value) {
  if (threadIdx.x == 0) {
    while (atomicCAS(lock, 0, 1) != 0) {
    }
    if (acquire) __threadfence();
    *value += 1;
    if (release) __threadfence();
    atomicExch(lock, 0);
  }
}
extern "C" __global__ void spin_lock_ok(int* lock, float* value) { locked<true, true>(lock, value); }
extern "C" __global__ void spin_lock_unfenced(int* lock, float* value) { locked<true, false>(lock, value); }

extern "C" __global__ void relaxed_order(float* data, int* flag, float* out) {
  if (blockIdx.x == 0) {
    data[0] = 1;  //2
    __atomic_store_n(flag, 1, __ATOMIC_RELAXED);
  } else if (__atomic_load_n(flag, __ATOMIC_RELAXED) == 1) {
    *out = data[0];  //1
  }
}
extern "C" __global__ void acquire_release_ok(float* data, int* flag, float* out) {
  if (blockIdx.x == 0) {
    data[0] = 1;
    __atomic_store_n(flag, 1, __ATOMIC_RELEASE);
  } else if (__atomic_load_n(flag, __ATOMIC_ACQUIRE) == 1) {
    *out = data[0];
  }
}
// A release that somebody else's relaxed store has overwritten.
extern "C" __global__ void overwritten_release(float* data, int* flag, float* out) {
  if (blockIdx.x == 0) {
    data[0] = 1;  //2
    __atomic_store_n(flag, 1, __ATOMIC_RELEASE);
  } else if (blockIdx.x == 1) {
    __atomic_store_n(flag, 2, __ATOMIC_RELAXED);
  } else if (__atomic_load_n(flag, __ATOMIC_ACQUIRE) == 2) {
    *out = data[0];  //1
  }
}
// A fence of the block's scope says nothing to other blocks, but orders the block.
extern "C" __global__ void narrow_fence(float* data, int* flag, float* out) {
  if (blockIdx.x == 0) {
    data[0] = 1;  //2
    __threadfence_block();
    atomicExch(flag, 1);
  } else if (atomicAdd(flag, 0) == 1) {
    __threadfence();
    *out = data[0];  //1
  }
}
extern "C" __global__ void narrow_fence_ok(float* out) {
  __shared__ float data;
  __shared__ int flag;
  const int t = threadIdx.x;
  if (t == 0) flag = 0;
  __syncthreads();
  if (t == 32) {
    data = 5;
    __threadfence_block();
    atomicExch_block(&flag, 1);
  }
  if (t == 0) {
    while (atomicAdd_block(&flag, 0) == 0) {
    }
    __threadfence_block();
    *out = data;
  }
}

// A barrier of the whole grid, made by hand.
extern "C" __global__ void grid_barrier_ok(float* x, int* arrived) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x, n = gridDim.x * blockDim.x;
  float mine = i;
  for (int round = 0; round < 3; ++round) {
    x[i] = mine;
    __syncthreads();
    if (threadIdx.x == 0) {
      __threadfence();
      atomicAdd(arrived, 1);
      while (*reinterpret_cast<volatile int*>(arrived) < static_cast<int>(gridDim.x) * (2 * round + 1)) {
      }
      __threadfence();
    }
    __syncthreads();
    mine = x[n - 1 - i];
    __syncthreads();
    if (threadIdx.x == 0) {
      __threadfence();
      atomicAdd(arrived, 1);
      while (*reinterpret_cast<volatile int*>(arrived) < static_cast<int>(gridDim.x) * (2 * round + 2)) {
      }
      __threadfence();
    }
    __syncthreads();
  }
}
extern "C" __global__ void grid_barrier_unfenced(float* x, int* arrived) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x, n = gridDim.x * blockDim.x;
  x[i] = i;  //2
  __syncthreads();
  if (threadIdx.x == 0) {
    atomicAdd(arrived, 1);
    while (*reinterpret_cast<volatile int*>(arrived) < static_cast<int>(gridDim.x)) {
    }
    __threadfence();
  }
  __syncthreads();
  const float other = x[n - 1 - i];  //1
  if (other < 0) *arrived = 0;
}
// Counts that barriers return carry order like barriers.
extern "C" __global__ void counting_barrier_ok(int* out) {
  __shared__ int s[64];
  s[threadIdx.x] = threadIdx.x;
  const int n = __syncthreads_count(threadIdx.x % 2);
  out[threadIdx.x] = s[63 - threadIdx.x] + n;
}
// So many rounds that the clocks of a block run out.
extern "C" __global__ void very_long_ok(int* out, int rounds) {
  __shared__ int s[32];
  int x = 0;
  for (int i = 0; i < rounds; ++i) {
    s[threadIdx.x] = i;
    __syncwarp();
    x ^= s[31 - threadIdx.x];
    __syncwarp();
  }
  out[threadIdx.x] = x;
}
