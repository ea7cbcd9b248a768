// What a CUDA device can do at most: bytes copied on it a second (read plus written), bytes that arrive from
// pinned memory, and int8 operations of the matrix instructions that the scans are made of.
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

/// Independent chains of matrix instructions, in registers.
__global__ void __launch_bounds__(kThreads) multiply(int* sink, int seed) {
  int sums[kTiles][4] = {};
  const int rows[4] = {seed, seed + 1, seed + 2, seed + 3};
  const int queries[2] = {seed + 4, static_cast<int>(threadIdx.x)};
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
  check(cudaMemset(from, 0x5a, kBytes), "memory");
  const double copy = fastest([&] { cudaMemcpyAsync(to, from, kBytes, cudaMemcpyDeviceToDevice); });
  const double transfer = fastest([&] { cudaMemcpyAsync(to, host, kBytes / 4, cudaMemcpyHostToDevice); });
  const unsigned blocks = static_cast<unsigned>(properties.multiProcessorCount) * 8;
  const double matrix = fastest([&] { multiply<<<blocks, kThreads>>>(reinterpret_cast<int*>(to), 1); });
  const double operations = 2.0 * 16 * 8 * 32 * kTiles * kRounds * (kThreads / 32) * blocks;
  std::printf(
      "{\"device\":\"%s\",\"copyBytesPerSecond\":%.0f,\"transferBytesPerSecond\":%.0f,"
      "\"int8OperationsPerSecond\":%.0f}\n",
      properties.name, 2.0 * kBytes / copy, kBytes / 4 / transfer, operations / matrix);
  return 0;
}
