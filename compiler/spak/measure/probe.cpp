// What one core of this machine can do: fused multiply-adds a second, and bytes a second over working sets of several sizes.
// Built with the flags of the target whose kernels are judged by it. Prints one line of JSON.
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#if defined(__AVX512F__)
constexpr int WIDTH = 64;
#elif defined(__AVX__)
constexpr int WIDTH = 32;
#else
constexpr int WIDTH = 16;
#endif

typedef float Floats __attribute__((vector_size(WIDTH)));
typedef double Doubles __attribute__((vector_size(WIDTH)));

static volatile double sink;

// Time of this thread on a processor: while others have it, nothing is learnt about what the machine can do.
static double now() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
}

// Best of many short runs, each long enough for the clock: the machine's peak, not its mood.
template <class Work>
static double best(int runs, Work work) {
  double most = 0;
  int batch = 1;  // works between two looks at the clock, which takes a while itself
  for (double spent = 0; spent < 1e-4; batch *= 2) {
    const double began = now();
    for (int i = 0; i < batch; ++i) work();
    spent = now() - began;
  }
  for (int run = 0; run < runs; ++run) {
    const double began = now();
    double done = 0;
    do for (int i = 0; i < batch; ++i) done += work(); while (now() - began < 0.003);
    const double rate = done / (now() - began);
    if (rate > most) most = rate;
  }
  return most;
}

// Twelve independent chains hide the latency of two units, and fit into sixteen registers with their constants.
template <class V, class Scalar>
static double multiply_adds() {
  constexpr int CHAINS = 12, ROUNDS = 20000;
  constexpr int LANES = WIDTH / sizeof(Scalar);
  volatile double factor = 0.9999999, term = 1e-7;
  V m, t, acc[CHAINS];
  for (int i = 0; i < LANES; ++i) m[i] = Scalar(factor), t[i] = Scalar(term);
  for (int c = 0; c < CHAINS; ++c) acc[c] = t * Scalar(c + 1);
  V a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3], a4 = acc[4], a5 = acc[5];
  V a6 = acc[6], a7 = acc[7], a8 = acc[8], a9 = acc[9], a10 = acc[10], a11 = acc[11];
  for (int round = 0; round < ROUNDS; ++round) {
    a0 = a0 * m + t; a1 = a1 * m + t; a2 = a2 * m + t; a3 = a3 * m + t; a4 = a4 * m + t; a5 = a5 * m + t;
    a6 = a6 * m + t; a7 = a7 * m + t; a8 = a8 * m + t; a9 = a9 * m + t; a10 = a10 * m + t; a11 = a11 * m + t;
  }
  const V sum = a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7 + a8 + a9 + a10 + a11;
  sink = sum[0] + sum[LANES - 1];
  return 2.0 * CHAINS * LANES * ROUNDS;
}

static double read(const float* a, std::size_t vectors) {
  const Floats* v = reinterpret_cast<const Floats*>(a);
  Floats s0{}, s1{}, s2{}, s3{}, s4{}, s5{}, s6{}, s7{};
  for (std::size_t i = 0; i + 8 <= vectors; i += 8) {
    s0 += v[i]; s1 += v[i + 1]; s2 += v[i + 2]; s3 += v[i + 3];
    s4 += v[i + 4]; s5 += v[i + 5]; s6 += v[i + 6]; s7 += v[i + 7];
  }
  const Floats sum = s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7;
  sink = sum[0];
  return double(vectors) * WIDTH;
}

static double copy(float* a, const float* b, std::size_t bytes) {
  std::memcpy(a, b, bytes);
  sink = a[0];
  return 2.0 * bytes;
}

static double triad(float* a, const float* b, const float* c, std::size_t vectors) {
  Floats* va = reinterpret_cast<Floats*>(a);
  const Floats *vb = reinterpret_cast<const Floats*>(b), *vc = reinterpret_cast<const Floats*>(c);
  Floats s;
  for (std::size_t i = 0; i < WIDTH / sizeof(float); ++i) s[i] = 3.0f;
  for (std::size_t i = 0; i < vectors; ++i) va[i] = vb[i] + s * vc[i];
  sink = a[0];
  return 3.0 * vectors * WIDTH;
}

int main(int argc, char** argv) {
  const int runs = argc > 1 ? std::atoi(argv[1]) : 24;
  const std::size_t sizes[] = {std::size_t(24) << 10, std::size_t(192) << 10, std::size_t(3) << 20, std::size_t(24) << 20,
                               std::size_t(192) << 20};
  std::printf("{\"f32\": %.6g, \"f64\": %.6g, \"bandwidth\": [", best(runs, multiply_adds<Floats, float>), best(runs, multiply_adds<Doubles, double>));
  const char* comma = "";
  for (std::size_t size : sizes) {
    float* memory = static_cast<float*>(std::aligned_alloc(64, size));
    if (!memory) return 1;
    std::memset(memory, 0, size);
    const std::size_t third = size / 3 / 64 * 64, half = size / 2 / 64 * 64;
    float *b = memory + third / sizeof(float), *c = memory + 2 * third / sizeof(float);
    double most = best(runs, [&] { return triad(memory, b, c, third / WIDTH); });
    const double copied = best(runs, [&] { return copy(memory, memory + half / sizeof(float), half); });
    const double fetched = best(runs, [&] { return read(memory, size / WIDTH); });
    if (copied > most) most = copied;
    if (fetched > most) most = fetched;
    std::printf("%s[%zu, %.6g]", comma, size, most);
    comma = ", ";
    std::free(memory);
  }
  std::printf("]}\n");
  return 0;
}
