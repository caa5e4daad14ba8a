// mbarriers: a phase completes when its arrivals and its bytes are all there, and a wait names the phase by its parity.
//@ arch sm_90a
#include <spak/cuda/bulk.h>
#include <spak/cuda/device.h>
#include <spak/cuda/fence.h>
#include <spak/cuda/mbarrier.h>

using namespace spak;

//@ defect parity_of_the_past: in-flight-read
//@   Parity 1 names the phase before the first, which counts as complete: the wait returns at once.
//@ run block=32
//@ in x = i32(arange(32))
//@ out y: i32[32] = x
//@ also deadlock
extern "C" __global__ void parity_of_the_past(const int* x, int* y) {
  __shared__ __align__(128) int s[32];
  __shared__ uint64_t full;
  if (threadIdx.x == 0) {
    mbarrier_init(&full, 1);
    fence_mbarrier_init();
    mbarrier_arrive_expect_tx(&full, sizeof s);
    bulk_load(s, x, sizeof s, &full);  //@ bulk
  }
  __syncthreads();
  mbarrier_wait(&full, 0);             //@ fixed
  mbarrier_wait(&full, 1);             //@ broken
  y[threadIdx.x] = s[threadIdx.x];     //@ reads
}

//@ defect parity_not_flipped: in-flight-read
//@   The second round waits for the phase of the first, which is complete already.
//@ run block=32
//@ in x = i32(arange(128))
//@ out y: i32[128] = x
//@ also deadlock, mbarrier-misuse
extern "C" __global__ void parity_not_flipped(const int* x, int* y) {
  __shared__ __align__(128) int s[4][32];
  __shared__ uint64_t full;
  const int t = threadIdx.x;
  if (t == 0) {
    mbarrier_init(&full, 1);
    fence_mbarrier_init();
  }
  __syncthreads();
  for (int tile = 0; tile < 4; ++tile) {
    if (t == 0) {
      mbarrier_arrive_expect_tx(&full, 128);
      bulk_load(s[tile], x + 32 * tile, 128, &full);  //@ bulk
    }
    mbarrier_wait(&full, tile & 1);  //@ fixed
    mbarrier_wait(&full, 0);         //@ broken
    y[32 * tile + t] = s[tile][t];   //@ reads
    __syncthreads();
  }
}

//@ defect parity_too_soon: deadlock
//@   The first wait asks for parity 0 of a barrier on which nobody will arrive before this thread does.
//@ run block=64
//@ in x = i32(arange(128))
//@ out y: i32[64] = x[:64] + x[64:]
extern "C" __global__ void parity_too_soon(const int* x, int* y) {
  __shared__ int s[64];
  __shared__ uint64_t full, empty;
  const int t = threadIdx.x;
  if (t == 0) {
    mbarrier_init(&full, 32);
    mbarrier_init(&empty, 32);
  }
  __syncthreads();
  if (t < 32) {
    for (int tile = 0; tile < 2; ++tile) {
      mbarrier_wait(&empty, tile ^ 1);  //@ fixed
      mbarrier_wait(&empty, tile);      //@ broken; waits
      s[t] = x[64 * tile + t];
      s[t + 32] = x[64 * tile + t + 32];
      mbarrier_arrive(&full);
    }
  } else {
    int low = 0, high = 0;
    for (int tile = 0; tile < 2; ++tile) {
      mbarrier_wait(&full, tile);       //@ waits
      low += s[t - 32];
      high += s[t];
      mbarrier_arrive(&empty);
    }
    y[t - 32] = low;
    y[t] = high;
  }
}

//@ defect count_too_high: deadlock
//@   The barrier counts threads, and one lane of each warp arrives.
//@ run block=96
//@ in x = i32(arange(64))
//@ out y: i32[32] = x[:32] + x[32:]
extern "C" __global__ void count_too_high(const int* x, int* y) {
  __shared__ int s[64];
  __shared__ uint64_t full;
  const int t = threadIdx.x;
  if (t == 0) mbarrier_init(&full, 2);   //@ fixed
  if (t == 0) mbarrier_init(&full, 64);  //@ broken
  __syncthreads();
  if (t < 64) {
    s[t] = x[t];
    __syncwarp();
    if (t % 32 == 0) mbarrier_arrive(&full);
  } else {
    mbarrier_wait(&full, 0);             //@ waits
    y[t - 64] = s[t - 64] + s[t - 32];
  }
}

//@ defect count_too_low: race-shared
//@   Two warps fill the tile, and the barrier opens when one of them has arrived.
//@ run block=96
//@ in x = i32(arange(64))
//@ out y: i32[32] = x[:32] + x[32:]
//@ also mbarrier-misuse
extern "C" __global__ void count_too_low(const int* x, int* y) {
  __shared__ int s[64];
  __shared__ uint64_t full;
  const int t = threadIdx.x;
  if (t == 0) mbarrier_init(&full, 2);  //@ fixed
  if (t == 0) mbarrier_init(&full, 1);  //@ broken
  __syncthreads();
  if (t < 64) {
    s[t] = x[t];                        //@ writes
    __syncwarp();
    if (t % 32 == 0) mbarrier_arrive(&full);
  } else {
    mbarrier_wait(&full, 0);
    y[t - 64] = s[t - 64] + s[t - 32];  //@ reads
  }
}

//@ defect arrival_before_the_store: race-shared
//@   The producer says that the tile is full before it has filled it.
//@ run block=64
//@ in x = i32(arange(32))
//@ out y: i32[32] = x
//@ also uninitialised-read
extern "C" __global__ void arrival_before_the_store(const int* x, int* y) {
  __shared__ int s[32];
  __shared__ uint64_t full;
  const int t = threadIdx.x;
  if (t == 0) mbarrier_init(&full, 32);
  __syncthreads();
  if (t < 32) {
    if (t % 2 == 0) mbarrier_arrive(&full);  //@ broken
    s[t] = x[t];                //@ writes
    if (t % 2 == 1) mbarrier_arrive(&full);  //@ broken
    mbarrier_arrive(&full);     //@ fixed
  } else {
    mbarrier_wait(&full, 0);
    y[t - 32] = s[t - 32];      //@ reads
  }
}

//@ defect arrival_of_one_lane: race-shared
//@   Lane 0 arrives for its warp, and nothing orders the stores of the other lanes before it.
//@ run block=64
//@ in x = i32(arange(32))
//@ out y: i32[32] = x
//@ also uninitialised-read
extern "C" __global__ void arrival_of_one_lane(const int* x, int* y) {
  __shared__ int s[32];
  __shared__ uint64_t full;
  const int t = threadIdx.x;
  if (t == 0) mbarrier_init(&full, 1);
  __syncthreads();
  if (t < 32) {
    s[t] = x[t];                         //@ writes
    __syncwarp();                        //@ fixed
    if (t == 0) mbarrier_arrive(&full);
  } else {
    mbarrier_wait(&full, 0);
    y[t - 32] = s[t - 32];               //@ reads
  }
}

//@ defect stage_released_early: race-shared
//@   The consumer gives the stage back before it has read it.
//@ run block=64
//@ in x = i32(arange(128))
//@ out y: i32[32] = x.reshape(4, 32).sum(0)
extern "C" __global__ void stage_released_early(const int* x, int* y) {
  __shared__ int s[32];
  __shared__ uint64_t full, empty;
  const int t = threadIdx.x;
  if (t == 0) {
    mbarrier_init(&full, 32);
    mbarrier_init(&empty, 32);
  }
  __syncthreads();
  int sum = 0;
  for (int tile = 0; tile < 4; ++tile) {
    if (t < 32) {
      mbarrier_wait(&empty, (tile & 1) ^ 1);
      s[t] = x[32 * tile + t];           //@ writes
      mbarrier_arrive(&full);
    } else {
      mbarrier_wait(&full, tile & 1);
      mbarrier_arrive(&empty);           //@ broken
      sum += s[63 - t];                  //@ reads
      mbarrier_arrive(&empty);           //@ fixed
    }
  }
  if (t >= 32) y[63 - t] = sum;
}

//@ defect bytes_too_many: deadlock
//@   The phase waits for the bytes of two tiles, and one is loaded.
//@ run block=32
//@ in x = i32(arange(32))
//@ out y: i32[32] = x
//@ also missing-wait
extern "C" __global__ void bytes_too_many(const int* x, int* y) {
  __shared__ __align__(128) int s[32];
  __shared__ uint64_t full;
  if (threadIdx.x == 0) {
    mbarrier_init(&full, 1);
    fence_mbarrier_init();
    mbarrier_arrive_expect_tx(&full, sizeof s);      //@ fixed
    mbarrier_arrive_expect_tx(&full, 2 * sizeof s);  //@ broken
    bulk_load(s, x, sizeof s, &full);
  }
  __syncthreads();
  mbarrier_wait(&full, 0);                           //@ waits
  y[threadIdx.x] = s[threadIdx.x];
}

//@ defect bytes_too_few: deadlock
//@   More bytes arrive than were expected: the count goes below zero and the phase never completes.
//@ run block=32
//@ in x = i32(arange(32))
//@ out y: i32[32] = x
//@ also mbarrier-misuse, missing-wait
extern "C" __global__ void bytes_too_few(const int* x, int* y) {
  __shared__ __align__(128) int s[32];
  __shared__ uint64_t full;
  if (threadIdx.x == 0) {
    mbarrier_init(&full, 1);
    fence_mbarrier_init();
    mbarrier_arrive_expect_tx(&full, sizeof s);  //@ fixed
    mbarrier_arrive_expect_tx(&full, 32);        //@ broken
    bulk_load(s, x, sizeof s, &full);
  }
  __syncthreads();
  mbarrier_wait(&full, 0);                       //@ waits
  y[threadIdx.x] = s[threadIdx.x];
}

//@ defect bytes_not_expected: in-flight-read
//@   The thread arrives without saying how many bytes will come: the phase completes without them.
//@ run block=32
//@ in x = i32(arange(32))
//@ out y: i32[32] = x
//@ also missing-wait, mbarrier-misuse
extern "C" __global__ void bytes_not_expected(const int* x, int* y) {
  __shared__ __align__(128) int s[32];
  __shared__ uint64_t full;
  if (threadIdx.x == 0) {
    mbarrier_init(&full, 1);
    fence_mbarrier_init();
    mbarrier_arrive_expect_tx(&full, sizeof s);  //@ fixed
    mbarrier_arrive(&full);                      //@ broken
    bulk_load(s, x, sizeof s, &full);            //@ bulk
  }
  __syncthreads();
  mbarrier_wait(&full, 0);
  y[threadIdx.x] = s[threadIdx.x];               //@ reads
}

//@ defect never_initialised: mbarrier-misuse
//@   Two barriers are declared, and one is initialised.
//@ run block=32
//@ in x = i32(arange(32))
//@ out y: i32[32] = x
//@ also uninitialised-read, deadlock
extern "C" __global__ void never_initialised(const int* x, int* y) {
  __shared__ uint64_t bars[2];
  if (threadIdx.x == 0) {
    mbarrier_init(&bars[0], 32);
    mbarrier_init(&bars[1], 32);  //@ fixed
  }
  __syncthreads();
  mbarrier_arrive(&bars[1]);      //@ here
  mbarrier_wait(&bars[1], 0);
  y[threadIdx.x] = x[threadIdx.x];
}

//@ defect initialised_twice: mbarrier-misuse
//@   The barrier is initialised again in each round, although it counts its phases by itself.
//@ run block=32
//@ in x = i32(arange(32))
//@ out y: i32[32] = 3 * x
extern "C" __global__ void initialised_twice(const int* x, int* y) {
  __shared__ uint64_t bar;
  if (threadIdx.x == 0) mbarrier_init(&bar, 32);    //@ fixed
  int sum = 0;
  for (int round = 0; round < 3; ++round) {
    if (threadIdx.x == 0) mbarrier_init(&bar, 32);  //@ broken; here
    __syncthreads();
    sum += x[threadIdx.x];
    mbarrier_arrive(&bar);
    mbarrier_wait(&bar, round & 1);                 //@ fixed
    mbarrier_wait(&bar, 0);                         //@ broken
    __syncthreads();
  }
  y[threadIdx.x] = sum;
}

//@ defect memory_used_again: mbarrier-misuse
//@   The barrier's bytes serve as data before mbarrier_invalidate has ended its life.
//@ run block=32
//@ in x = i32(arange(32))
//@ out y: i32[32] = x + 5
extern "C" __global__ void memory_used_again(const int* x, int* y) {
  __shared__ uint64_t bar;
  if (threadIdx.x == 0) mbarrier_init(&bar, 32);
  __syncthreads();
  mbarrier_arrive(&bar);
  mbarrier_wait(&bar, 0);
  __syncthreads();
  if (threadIdx.x == 0) {
    mbarrier_invalidate(&bar);  //@ fixed
    bar = 5;                    //@ writes
  }
  __syncthreads();
  y[threadIdx.x] = x[threadIdx.x] + static_cast<int>(bar);
}

//@ defect initialised_unseen: race-shared
//@   One thread initialises the barrier, and the others arrive without waiting for that.
//@ run block=64
//@ in x = i32(arange(64))
//@ out y: i32[64] = x
//@ also race-warp, mbarrier-misuse, uninitialised-read
extern "C" __global__ void initialised_unseen(const int* x, int* y) {
  __shared__ uint64_t bar;
  if (threadIdx.x == 0) mbarrier_init(&bar, 64);  //@ here
  __syncthreads();                                //@ fixed
  mbarrier_arrive(&bar);                          //@ here
  mbarrier_wait(&bar, 0);
  y[threadIdx.x] = x[threadIdx.x];
}

//@ defect init_not_fenced: missing-proxy-fence
//@   The TMA unit completes bytes on a barrier whose initialisation it has not been shown.
//@ run block=32
//@ in x = i32(arange(32))
//@ out y: i32[32] = x
extern "C" __global__ void init_not_fenced(const int* x, int* y) {
  __shared__ __align__(128) int s[32];
  __shared__ uint64_t full;
  if (threadIdx.x == 0) {
    mbarrier_init(&full, 1);           //@ here
    fence_mbarrier_init();             //@ fixed
    mbarrier_arrive_expect_tx(&full, sizeof s);
    bulk_load(s, x, sizeof s, &full);  //@ issues
  }
  __syncthreads();
  mbarrier_wait(&full, 0);
  y[threadIdx.x] = s[threadIdx.x];
}

//@ defect arrivals_too_many: mbarrier-misuse
//@   One call arrives 64 times at a barrier that expects 32.
//@ run block=32
//@ in x = i32(arange(32))
//@ out y: i32[32] = x
//@ also deadlock
extern "C" __global__ void arrivals_too_many(const int* x, int* y) {
  __shared__ uint64_t bar;
  if (threadIdx.x == 0) mbarrier_init(&bar, 32);
  __syncthreads();
  if (threadIdx.x == 0) mbarrier_arrive(&bar, 32);  //@ fixed
  if (threadIdx.x == 0) mbarrier_arrive(&bar, 64);  //@ broken; here
  mbarrier_wait(&bar, 0);
  y[threadIdx.x] = x[threadIdx.x];
}

//@ defect barrier_misaligned: misaligned
//@   An mbarrier is 8 bytes at a multiple of 8; behind an odd number of words it is not.
//@ run block=32
//@ in x = i32(arange(32))
//@ out y: i32[32] = x
extern "C" __global__ void barrier_misaligned(const int* x, int* y) {
  __shared__ __align__(16) int arena[8];
  uint64_t* bar = reinterpret_cast<uint64_t*>(arena + 2);  //@ fixed
  uint64_t* bar = reinterpret_cast<uint64_t*>(arena + 3);  //@ broken
  if (threadIdx.x == 0) mbarrier_init(bar, 32);            //@ here
  __syncthreads();
  mbarrier_arrive(bar);
  mbarrier_wait(bar, 0);
  y[threadIdx.x] = x[threadIdx.x];
}

//@ defect expectation_late: in-flight-read
//@   Every thread arrives, and only then does one say how many bytes the phase, by now complete, should wait for.
//@ run block=32
//@ in x = i32(arange(32))
//@ out y: i32[32] = x
//@ also missing-wait, mbarrier-misuse
extern "C" __global__ void expectation_late(const int* x, int* y) {
  __shared__ __align__(128) int s[32];
  __shared__ uint64_t full;
  const int t = threadIdx.x;
  if (t == 0) {
    mbarrier_init(&full, 32);
    fence_mbarrier_init();
  }
  __syncthreads();
  if (t == 0) mbarrier_expect_tx(&full, sizeof s);         //@ fixed
  if (t == 0) bulk_load(s, x, sizeof s, &full);            //@ fixed
  mbarrier_arrive(&full);
  __syncwarp();                                            //@ broken
  if (t == 0) mbarrier_expect_tx(&full, sizeof s);         //@ broken
  if (t == 0) bulk_load(s, x, sizeof s, &full);            //@ broken; bulk
  mbarrier_wait(&full, 0);
  y[t] = s[t];                                             //@ reads
}
