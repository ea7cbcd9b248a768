// What a CUDA device can do at most: bytes copied on it a second (read plus written), bytes that arrive from
// pinned memory, int8 operations of the matrix instructions (mma.sync, which every device has, and wgmma,
// which those of compute capability 9.0 have: null elsewhere), and float64 operations of multiply-adds, of
// which reference scores are made.
//
//     granule_cuda_roofline [device]
//
// Prints one JSON object. Each figure is the best of several runs.

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "backends/cuda/instructions.cuh"

namespace {

constexpr std::size_t kBytes = std::size_t{4} << 30;
constexpr int kRuns = 5;
constexpr unsigned kThreads = 256;
constexpr unsigned kTiles = 8;
constexpr int kRounds = 4096;

void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  std::fprintf(stderr, "granule_cuda_roofline: %s: %s\n", what, cudaGetErrorString(error));
  std::exit(1);
}

/// The shortest time of `work` on a stream, in seconds.
template <typename Work>
double fastest(const Work& work) {
  cudaEvent_t begin;
  cudaEvent_t end;
  check(cudaEventCreate(&begin), "an event");
  check(cudaEventCreate(&end), "an event");
  double best = 1e30;
  for (int run = 0; run <= kRuns; ++run) {
    check(cudaEventRecord(begin), "an event");
    work();
    check(cudaGetLastError(), "a launch");
    check(cudaEventRecord(end), "an event");
    check(cudaEventSynchronize(end), "a run");
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, begin, end), "an event");
    // The first one warms up.
    if (run != 0) best = std::min(best, static_cast<double>(milliseconds) / 1000);
  }
  return best;
}

/// Random bytes: devices are faster on zeros than they are on data.
__device__ int random_bytes(unsigned seed) {
  unsigned x = seed * 0x9e3779b9u;
  x = (x ^ (x >> 16)) * 0x21f0aaadu;
  x = (x ^ (x >> 15)) * 0x735a2d97u;
  return static_cast<int>(x ^ (x >> 15));
}

__global__ void fill(int* out, std::size_t count) {
  const std::size_t step = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step)
    out[i] = random_bytes(static_cast<unsigned>(i));
}

/// Independent chains of mma.sync, in registers.
__global__ void __launch_bounds__(kThreads) multiply(int* sink) {
  int sums[kTiles][4] = {};
  int rows[4];
  int queries[2];
  for (unsigned i = 0; i < 4; ++i) rows[i] = random_bytes(threadIdx.x * 8 + i);
  for (unsigned i = 0; i < 2; ++i) queries[i] = random_bytes(threadIdx.x * 8 + 4 + i);
  for (int round = 0; round < kRounds; ++round) {
#pragma unroll
    for (unsigned tile = 0; tile < kTiles; ++tile) granule::cuda::multiply_16x8x32(sums[tile], rows, queries);
  }
  int all = 0;
#pragma unroll
  for (unsigned tile = 0; tile < kTiles; ++tile)
    all += sums[tile][0] + sums[tile][1] + sums[tile][2] + sums[tile][3];
  if (all == 123456789) *sink = all;
}

/// Independent chains of float64 multiply-adds, in registers.
__global__ void __launch_bounds__(kThreads) multiply_doubles(int* sink) {
  double sums[kTiles];
  for (unsigned i = 0; i < kTiles; ++i) sums[i] = random_bytes(threadIdx.x * kTiles + i);
  const double factor = 1.0 + 1e-9 * threadIdx.x;
  for (int round = 0; round < kRounds; ++round) {
#pragma unroll
    for (unsigned i = 0; i < kTiles; ++i) sums[i] = __fma_rn(sums[i], factor, 0.25);
  }
  double all = 0;
#pragma unroll
  for (unsigned i = 0; i < kTiles; ++i) all += sums[i];
  if (all == 0.123) *sink = 1;
}

// One wgmma takes a tile of 64 rows and one of 128 columns, of 32 bytes each, from shared memory.
constexpr unsigned kGroupRows = 64;
constexpr unsigned kGroupColumns = 128;
constexpr unsigned kGroupDepth = 32;

#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
constexpr unsigned kGroupSums = kGroupRows * kGroupColumns / 128;

/// A tile in shared memory as wgmma is told of it: groups of 8 rows x 16 bytes lie together in 128 bytes, the
/// second 16 bytes of 8 rows 128 bytes behind the first, the next 8 rows 256 bytes further; not swizzled.
__device__ uint64_t tile_descriptor(const void* tile) {
  const auto address = static_cast<uint64_t>(__cvta_generic_to_shared(tile));
  return (address & 0x3ffff) >> 4 | uint64_t{128 >> 4} << 16 | uint64_t{256 >> 4} << 32;
}

/// sums (64 x 128) += rows (64 x 32) * columns (32 x 128), signed bytes, over four warps.
__device__ void group_multiply(int (&sums)[kGroupSums], uint64_t rows, uint64_t columns) {
#define GRANULE_SUMS_8(i)                                                                    \
  "+r"(sums[i]), "+r"(sums[i + 1]), "+r"(sums[i + 2]), "+r"(sums[i + 3]), "+r"(sums[i + 4]), \
      "+r"(sums[i + 5]), "+r"(sums[i + 6]), "+r"(sums[i + 7])
  asm volatile(
      "wgmma.mma_async.sync.aligned.m64n128k32.s32.s8.s8 {"
      "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,"
      "%28,%29,%30,%31,%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,%48,%49,%50,%51,%52,"
      "%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63}, %64, %65, 1;"
      : GRANULE_SUMS_8(0), GRANULE_SUMS_8(8), GRANULE_SUMS_8(16), GRANULE_SUMS_8(24), GRANULE_SUMS_8(32),
        GRANULE_SUMS_8(40), GRANULE_SUMS_8(48), GRANULE_SUMS_8(56)
      : "l"(rows), "l"(columns));
#undef GRANULE_SUMS_8
}
#endif

/// Chains of wgmma; each of the block's groups of four warps has one.
__global__ void __launch_bounds__(kThreads) multiply_by_groups(int* sink) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  __shared__ __align__(128) int tiles[(kGroupRows + kGroupColumns) * kGroupDepth / sizeof(int)];
  for (unsigned i = threadIdx.x; i < sizeof tiles / sizeof(int); i += kThreads) tiles[i] = random_bytes(i);
  // The matrix units read shared memory by a path of their own.
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
  __syncthreads();
  const uint64_t rows = tile_descriptor(tiles);
  const uint64_t columns = tile_descriptor(tiles + kGroupRows * kGroupDepth / sizeof(int));
  int sums[kGroupSums] = {};
  for (int round = 0; round < kRounds; ++round) {
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#pragma unroll
    for (unsigned tile = 0; tile < kTiles; ++tile) group_multiply(sums, rows, columns);
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
    asm volatile("wgmma.wait_group.sync.aligned 1;" ::: "memory");
  }
  asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
  int all = 0;
#pragma unroll
  for (unsigned i = 0; i < kGroupSums; ++i) all += sums[i];
  if (all == 123456789) *sink = all;
#else
  if (threadIdx.x == ~0u) *sink = 0;
#endif
}

}  // namespace

int main(int argc, char** argv) {
  const int device = argc > 1 ? std::atoi(argv[1]) : 0;
  check(cudaSetDevice(device), "the device");
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, device), "the device");
  char* from = nullptr;
  char* to = nullptr;
  void* host = nullptr;
  check(cudaMalloc(&from, kBytes), "memory");
  check(cudaMalloc(&to, kBytes), "memory");
  check(cudaHostAlloc(&host, kBytes / 4, cudaHostAllocDefault), "pinned memory");
  const unsigned blocks = static_cast<unsigned>(properties.multiProcessorCount) * 8;
  fill<<<blocks, kThreads>>>(reinterpret_cast<int*>(from), kBytes / sizeof(int));
  check(cudaMemcpy(host, from, kBytes / 4, cudaMemcpyDeviceToHost), "a copy to the host");
  const double copy = fastest([&] { cudaMemcpyAsync(to, from, kBytes, cudaMemcpyDeviceToDevice); });
  const double transfer = fastest([&] { cudaMemcpyAsync(to, host, kBytes / 4, cudaMemcpyHostToDevice); });
  int* const sink = reinterpret_cast<int*>(to);
  // Each warp, or group of four, repeats a tile's operations.
  const double repeats = 2.0 * kTiles * kRounds * blocks;
  const double matrix =
      repeats * 16 * 8 * 32 * (kThreads / 32) / fastest([&] { multiply<<<blocks, kThreads>>>(sink); });
  const double doubles = repeats * kThreads / fastest([&] { multiply_doubles<<<blocks, kThreads>>>(sink); });
  char group_matrix[32] = "null";
  if (properties.major == 9 && properties.minor == 0) {
    const double rate = repeats * kGroupRows * kGroupColumns * kGroupDepth * (kThreads / 128) /
                        fastest([&] { multiply_by_groups<<<blocks, kThreads>>>(sink); });
    std::snprintf(group_matrix, sizeof group_matrix, "%.0f", rate);
  }
  std::printf(
      "{\"workload\":\"roofline\",\"device\":\"%s\",\"copyBytesPerSecond\":%.0f,"
      "\"transferBytesPerSecond\":%.0f,\"int8OperationsPerSecond\":%.0f,"
      "\"int8GroupOperationsPerSecond\":%s,\"float64OperationsPerSecond\":%.0f}\n",
      properties.name, 2.0 * kBytes / copy, kBytes / 4 / transfer, matrix, group_matrix, doubles);
  return 0;
}
