// A program that needs every part of the engine that differs between machines: switches, traps, the look at a launch's
// time, AddressSanitizer's fibers. Prints one line a check; test_engine_builds.py says which. Needs no Python to run it.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <spak/sim/launch.h>
#include <spak/sim/report.h>

extern "C" __global__ void sums(const float* x, float* out) {
  __shared__ float staged[256];
  const int t = threadIdx.x;
  staged[t] = x[blockIdx.x * 256 + t];
  __syncthreads();
  for (int step = 128; step >= 32; step /= 2) {
    if (t < step) staged[t] += staged[t + step];
    __syncthreads();
  }
  if (t < 32) {
    float v = staged[t];
    for (int step = 16; step; step /= 2) v += __shfl_down_sync(0xFFFFFFFFu, v, step);
    if (t == 0) out[blockIdx.x] = v;
  }
}

__device__ __noinline__ int deeper(volatile int* out, int n) { return out[0] ? n : deeper(out, n + 1) + out[1]; }
extern "C" __global__ void recurses(int* out) { out[2] = deeper(out, 0); }
extern "C" __global__ void divides(int* out, int by) { out[0] = 100 / by; }
extern "C" __global__ void touches(int* out, long long offset) { out[offset] = 1; }
extern "C" __global__ void skips(int* out) {
  if (threadIdx.x < 3) __syncthreads();
  out[0] = 1;
}
extern "C" __global__ void loops(volatile int* out) {
  while (out[0] == 0) {
  }
}
extern "C" __global__ void polls(int* flag) {
  if (threadIdx.x == 0) {
    while (*static_cast<volatile int*>(flag) == 0) {
    }
    flag[1] = 1;
  }
  if (threadIdx.x == 63) *flag = 1;
}
extern "C" __global__ void overruns(int* out, int at) {
  __shared__ int cells[8];
  cells[at] = 1;
  out[0] = cells[at];
}
extern "C" __global__ void throws() { throw 1; }

template <typename Kernel>
static void expect(const char* name, long long grid, long long block, Kernel&& kernel) {
  spak::sim::Config config;
  config.grid[0] = grid;
  config.block[0] = block;
  config.name = name;
  try {
    spak::sim::launch(config, kernel);
    std::printf("%s: ran\n", name);
  } catch (const spak::sim::Fault& fault) {
    std::printf("%s: %s\n", name, fault.rule().c_str());
  }
  std::fflush(stdout);
}

int main(int argc, char** argv) {
  const char* only = argc > 1 ? argv[1] : "";
  std::vector<float> x(64 * 256), out(64);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 7);
  int cells[4] = {0, 0, 0, 0};
  if (std::strcmp(only, "heap") == 0) {
    int* heap = new int[4]();
    expect("touches", 1, 32, [&] { touches(heap, 4); });
    delete[] heap;
    return 0;
  }
  if (std::strcmp(only, "shared") == 0) {
    expect("overruns", 1, 1, [&] { overruns(cells, 8); });
    return 0;
  }
  for (const char* order : {"forward", "reverse", "random"}) {
    setenv("SPAK_SIM_ORDER", order, 1);
    expect("sums", 64, 256, [&] { sums(x.data(), out.data()); });
    for (int b = 0; b < 64; ++b) {
      float want = 0;
      for (int i = 0; i < 256; ++i) want += x[b * 256 + i];
      if (out[b] != want) std::printf("sums: block %d is %g, not %g\n", b, static_cast<double>(out[b]), static_cast<double>(want));
    }
  }
  setenv("SPAK_SIM_ORDER", "forward", 1);
  setenv("SPAK_SIM_SECONDS", "0.1", 1);
  expect("skips", 2, 32, [&] { skips(cells); });
  expect("throws", 2, 32, [&] { throws(); });
  expect("polls", 1, 64, [&] { polls(cells); });
  cells[0] = 0;
  expect("loops", 1, 32, [&] { loops(cells); });
  if (std::strcmp(only, "traps") == 0) {
    expect("recurses", 1, 32, [&] { recurses(cells); });
    expect("touches", 1, 32, [&] { touches(cells, 1ll << 44); });
    expect("divides", 1, 32, [&] { divides(cells, cells[3]); });
  }
  std::printf("%d findings\n", static_cast<int>(spak::sim::take_findings().size() > 100));
}
