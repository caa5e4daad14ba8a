// What the engine gives to models, and what it does with kernels that never end; test_engine_*.py says what is expected.
#include <vector>

#include <engine/operation.h>
#include <engine/unit.h>

using spak::sim::here;

namespace {

struct Meeting {
  spak::sim::Gate gate;
  unsigned arrived = 0;
};

// A barrier of the cluster, as a model would build it.
void cluster_barrier(spak::sim::Site at = here()) {
  auto& state = spak::sim::cluster_states().get<Meeting>();
  const spak::sim::Where where = spak::sim::whereabouts();
  if (++state.arrived < where.blocks * where.threads) {
    return state.gate.wait("cluster barrier", at,
                           [](const void* object, const spak::sim::Thread&) {
                             return std::to_string(static_cast<const Meeting*>(object)->arrived) + " have arrived";
                           },
                           &state);
  }
  state.arrived = 0;
  state.gate.open();
}

// Copies one word when it is performed, and opens a gate.
struct Copy : spak::sim::Operation {
  Copy(int* to_, const int* from_, Meeting* done_ = nullptr) : to(to_), from(from_), finished(done_) {}
  void perform() override {
    *to = *from;
    if (!finished) return;
    finished->arrived += 1;
    finished->gate.open();
  }
  int* to;
  const int* from;
  Meeting* finished;
};

}  // namespace

// out[block][thread] = what the next block of the cluster wrote to its shared memory, and who and where everybody is.
extern "C" __global__ void cluster_ring(int* out) {
  __shared__ int mine[32];
  const spak::sim::Where where = spak::sim::whereabouts();
  const int block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  mine[threadIdx.x] = block * 100 + threadIdx.x;
  cluster_barrier();
  const unsigned next = (where.rank + 1) % where.blocks;
  const int* theirs = static_cast<int*>(spak::sim::shared_peer(mine, next, here()));
  const std::uint32_t address = spak::sim::shared_address(theirs, here());
  const void* same = spak::sim::shared_pointer(address + 4 * threadIdx.x, 4, here());
  int* row = out + (block * 32 + threadIdx.x) * 4;
  row[0] = theirs[threadIdx.x];
  row[1] = *static_cast<const int*>(same);
  row[2] = where.rank;
  row[3] = address >> 24 == (next == where.rank ? 0 : next + 1) && (address & 0x3FFFF) == spak::sim::shared_address(mine, here());
  cluster_barrier();
}

extern "C" __global__ void cluster_early_exit(int* out) {
  __shared__ int mine[32];
  mine[threadIdx.x] = 1;
  if (spak::sim::whereabouts().rank == 1) return;
  __syncthreads();
  out[0] = *static_cast<int*>(spak::sim::shared_peer(mine, 1, here()));  // line 71
}

extern "C" __global__ void cluster_deadlock(int* out) {
  if (spak::sim::whereabouts().rank == 0) cluster_barrier();  // line 75
  out[0] = 1;
}

extern "C" __global__ void bad_addresses(int* out, int which) {
  __shared__ int mine;
  if (which == 0) (void)spak::sim::shared_address(out, here());
  if (which == 1) (void)spak::sim::shared_pointer(0x3FFFE, 4, here());
  if (which == 2) (void)spak::sim::shared_peer(&mine, 7, here());
  if (which == 3) (void)spak::sim::shared_pointer(spak::sim::shared_address(&mine, here()) | 9u << 24, 4, here());
}

// Everything that is said before a barrier of the grid is known after it.
extern "C" __global__ void grid_sum(int* partial, int* out) {
  const int block = blockIdx.x;
  if (threadIdx.x == 0) partial[block] = block + 1;
  spak::sim::grid_barrier(here());
  int sum = 0;
  for (unsigned i = 0; i < gridDim.x; ++i) sum += partial[i];
  spak::sim::grid_barrier(here());
  if (threadIdx.x == 0) partial[block] = 0, out[block] = sum;
}

extern "C" __global__ void lanes(int* out) {
  int mine[2] = {static_cast<int>(threadIdx.x) * 3, 0};
  const unsigned mask = threadIdx.x % 32 < 16 ? 0x0000FFFFu : 0xFFFF0000u;
  spak::sim::together_warp(
      "model.sum", mask, mine,
      [](void* const* arguments, std::uint32_t arrived) {
        int sum = 0;
        for (int i = 0; i < 32; ++i)
          if (arrived >> i & 1) sum += static_cast<int*>(arguments[i])[0];
        for (int i = 0; i < 32; ++i)
          if (arguments[i]) static_cast<int*>(arguments[i])[1] = sum;
      },
      here());
  out[threadIdx.x] = mine[1];
}

extern "C" __global__ void warpgroups(int* out) {
  int mine[2] = {static_cast<int>(threadIdx.x), 0};
  spak::sim::together_warpgroup(
      "model.group", mine,
      [](void* const* arguments) {
        int sum = 0;
        for (int i = 0; i < 128; ++i) sum += static_cast<int*>(arguments[i])[0];
        for (int i = 0; i < 128; ++i) static_cast<int*>(arguments[i])[1] = sum;
      },
      here());  // line 123
  out[threadIdx.x] = mine[1];
}

// out[0]: what a thread sees of an unfinished copy; out[1]: after the wait; out[2]: the order of two copies to one place.
extern "C" __global__ void copies(const int* in, int* out, int* order) {
  auto& state = spak::sim::block_states().get<Meeting>();
  static const int one = 1, two = 2;
  if (threadIdx.x == 0) {
    spak::sim::issue(std::make_shared<Copy>(out + 1, in, &state));
    out[0] = out[1];
    if (!state.arrived) state.gate.wait("copy", here());
    spak::sim::issue(std::make_shared<Copy>(order, &one));
    spak::sim::issue(std::make_shared<Copy>(order, &two));
    const auto last = std::make_shared<Copy>(out + 3, in);
    spak::sim::issue(last);
    spak::sim::finish(last);
    out[2] = out[3];
  }
}

// --- kernels that never end ---

extern "C" __global__ void spins_on_volatile(int* flag, int* out) {
  if (blockIdx.x == 0 && threadIdx.x == 0) {
    while (*static_cast<volatile int*>(flag) == 0) {
    }
    out[0] = 7;
  }
  if (blockIdx.x == gridDim.x - 1 && threadIdx.x == blockDim.x - 1) *flag = 1;
}

extern "C" __global__ void spins_on_blocks(int* arrived, int* out) {
  if (threadIdx.x == 0) {
    atomicAdd(arrived, 1);
    while (atomicAdd(arrived, 0) < static_cast<int>(gridDim.x)) {
    }
    out[blockIdx.x] = 1;
  }
  __syncthreads();
  out[blockIdx.x] += 1;
}

extern "C" __global__ void polls_for_ever(int* flag) {
  while (atomicAdd(flag, 0) == 0) {  // line 167
  }
}

extern "C" __global__ void loops_for_ever(int* out, int step) {
  volatile int x = 1;
  while (x) x = x + step - step;  // line 173
  out[0] = x;
}

extern "C" __global__ void waits_for_ever(int* out) {
  for (;;) {
    __syncthreads();  // line 179
    if (out[0]) break;
  }
}

extern "C" __global__ void divides(int* out, int by) {
  out[0] = 1;
  out[threadIdx.x] = 100 / by;  // line 186
}

__device__ __noinline__ int deeper(volatile int* out, int n) { return out[0] ? n : deeper(out, n + 1) + out[1]; }  // line 189
extern "C" __global__ void recurses(int* out) { out[2] = deeper(out, 0); }

extern "C" __global__ void touches(int* out, long long offset) {
  out[offset] = 1;  // line 193
}

extern "C" __global__ void throws_text() { throw std::runtime_error("out of cheese"); }
__device__ void quiet() noexcept { spak::sim::fail("assertion", "stops inside noexcept code", here()); }
extern "C" __global__ void fails_in_noexcept() { quiet(); }

extern "C" __global__ void reports(int times) {
  for (int i = 0; i < times; ++i)
    spak::sim::report({"race-shared", "said \"twice\"", "line one\nline two", {{"writes", {here(), nullptr}, "a thread", ""}}});  // line 202
  for (int i = 0; i < 200; ++i)
    spak::sim::report({"race-shared", "many", "", {{"reads", {{"k.cu", i}, nullptr}, "", ""}}});
}

extern "C" __global__ void layout(int* out) {
  __shared__ char first[3];
  __shared__ float vectors[8], odd[3];
  first[0] = 0, vectors[0] = odd[0] = 0.0f;
  out[0] = static_cast<int>(reinterpret_cast<unsigned long long>(vectors) % 32);
  out[1] = static_cast<int>(reinterpret_cast<unsigned long long>(odd) % 8);
}

// Many threads that live long enough to need a stack each.
extern "C" __global__ void many_stacks(int* out) {
  volatile char local[256];
  local[threadIdx.x % 256] = 1;
  spak::sim::grid_barrier(here());
  atomicAdd(out, local[threadIdx.x % 256]);
}

// Who passes its barriers when: blocks that never interleave write 0 0 0 0 1 1 1 1 ...
extern "C" __global__ void passes(int* next, int* log) {
  for (int i = 0; i < 8; ++i) {
    __syncthreads();
    if (threadIdx.x == 0) log[atomicAdd(next, 1)] = blockIdx.x;
  }
}

// Only half of a warpgroup comes to its operation; only half of a warp to its own, and the others to another one.
extern "C" __global__ void half_a_group(int* out) {
  void* none = nullptr;
  if (threadIdx.x < 64) spak::sim::together_warpgroup("model.group", none, [](void* const*) {}, here());  // line 234
  __syncthreads();
  out[0] = 1;
}
extern "C" __global__ void half_a_warp(int* out) {
  if (threadIdx.x < 16) (void)__shfl_sync(0xFFFFFFFFu, 1, 0);  // line 239
  else if (threadIdx.x < 32) __syncwarp(0xFFFFFFFFu);
  __syncthreads();
  out[0] = 1;
}

// All blocks but the first poll for what that one does when it is told to: it waits without using the processor, or works.
extern "C" long read(int, void*, unsigned long);
extern "C" __global__ void is_told_late(int* told, int* flag, int pipe) {
  char byte;
  if (blockIdx.x == 0) {
    if (pipe >= 0) told[1] = static_cast<int>(read(pipe, &byte, 1));
    while (*static_cast<volatile int*>(told) == 0) {
    }
    atomicExch(flag, 1);
  } else {
    while (atomicAdd(flag, 0) == 0) {
    }
  }
}
