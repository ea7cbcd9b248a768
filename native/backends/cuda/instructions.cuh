#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

// The instructions that kernels are made of. Where they run in an emulator, each has a second form that says
// what it does.

namespace granule::cuda {

constexpr unsigned kWarpLanes = 32;
constexpr unsigned kAllLanes = 0xffffffffu;

__device__ inline unsigned lane_index() { return threadIdx.x % kWarpLanes; }
__device__ inline unsigned warp_index() { return threadIdx.x / kWarpLanes; }

/// sum + the products of four signed bytes.
__device__ inline int dot_4(int a, int b, int sum) {
#if defined(__CUDACC__)
  return __dp4a(a, b, sum);
#else
  for (int i = 0; i < 32; i += 8)
    sum += static_cast<int>(static_cast<int8_t>(a >> i)) * static_cast<int8_t>(b >> i);
  return sum;
#endif
}

__device__ inline int dot_16(const int4& a, const int4& b, int sum) {
  return dot_4(a.w, b.w, dot_4(a.z, b.z, dot_4(a.y, b.y, dot_4(a.x, b.x, sum))));
}

/// sums (16 x 8) += rows (16 x 32) * queries (32 x 8), signed bytes, over a warp. With r = lane / 4 and c =
/// lane % 4 a lane holds four bytes of each, from column 4 c on: rows[0] of row r, rows[1] of row r + 8,
/// rows[2] and rows[3] of the same from column 16 + 4 c on; queries[0] of query r, queries[1] of it from 16 +
/// 4 c on. sums[0], sums[1] belong to row r and queries 2 c, 2 c + 1; sums[2], sums[3] to row r + 8.
__device__ inline void multiply_16x8x32(int (&sums)[4], const int (&rows)[4], const int (&queries)[2]) {
#if defined(__CUDACC__)
  asm volatile(
      "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+r"(sums[0]), "+r"(sums[1]), "+r"(sums[2]), "+r"(sums[3])
      : "r"(rows[0]), "r"(rows[1]), "r"(rows[2]), "r"(rows[3]), "r"(queries[0]), "r"(queries[1]));
#else
  struct Operands {
    int rows[4];
    int queries[2];
  };
  const Operands own{{rows[0], rows[1], rows[2], rows[3]}, {queries[0], queries[1]}};
  Operands all[kWarpLanes];
  cuda_emulator::exchange(&own, sizeof own, all);
  const unsigned lane = lane_index();
  for (unsigned s = 0; s < 4; ++s) {
    const unsigned row = lane / 4;
    const unsigned query = lane % 4 * 2 + s % 2;
    for (unsigned c = 0; c < 4; ++c) {
      for (unsigned half = 0; half < 2; ++half) {
        sums[s] = dot_4(all[row * 4 + c].rows[half * 2 + s / 2], all[query * 4 + c].queries[half], sums[s]);
      }
    }
  }
#endif
}

/// Copies 16 bytes from device memory to shared memory, both at borders of 16 bytes, while the thread goes
/// on.
__device__ inline void copy_16_async(void* shared, const void* global) {
#if defined(__CUDACC__)
  const auto address = static_cast<unsigned>(__cvta_generic_to_shared(shared));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(address), "l"(global) : "memory");
#else
  cuda_emulator::copy_async(shared, global, 16);
#endif
}

/// Ends a group of the thread's copies.
__device__ inline void commit_copies() {
#if defined(__CUDACC__)
  asm volatile("cp.async.commit_group;" ::: "memory");
#else
  cuda_emulator::commit_copies();
#endif
}

/// Waits until all but the `kPending` last groups of the thread's copies have been done.
template <int kPending>
__device__ inline void wait_for_copies() {
#if defined(__CUDACC__)
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
#else
  cuda_emulator::wait_for_copies(kPending);
#endif
}

/// A block's dynamic shared memory.
__device__ inline unsigned char* dynamic_shared_memory() {
#if defined(__CUDACC__)
  extern __shared__ __align__(1024) unsigned char granule_shared[];
  return granule_shared;
#else
  return cuda_emulator::shared_memory();
#endif
}

/// Puts a kernel's run on a stream.
template <typename... Parameters, typename... Arguments>
cudaError_t launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, std::size_t shared_bytes,
                   cudaStream_t stream, const Arguments&... arguments) {
#if defined(__CUDACC__)
  kernel<<<grid, block, shared_bytes, stream>>>(static_cast<Parameters>(arguments)...);
  return cudaGetLastError();
#else
  return cuda_emulator::launch(reinterpret_cast<const void*>(kernel), grid, block, shared_bytes, stream,
                               [=] { kernel(static_cast<Parameters>(arguments)...); });
#endif
}

}  // namespace granule::cuda
