#pragma once

#include "backends/cuda/instructions.cuh"

// Instructions of compute capability 9.0 (PTX's target sm_90a): barriers in shared memory, copies of whole
// runs of bytes that complete on them, and matrix instructions of a warpgroup, four warps, whose operands lie
// in shared memory. PTX ISA 8.0, sections on mbarrier, cp.async.bulk and wgmma.

#if defined(__CUDA_ARCH_FEAT_SM90_ALL) || defined(GRANULE_CUDA_EMULATED)
#define GRANULE_HOPPER 1
#endif

namespace granule::cuda {

constexpr unsigned kWarpgroupThreads = 128;

/// A barrier in shared memory. Its phases have the parities 0, 1, 0, ...; one ends when as many arrivals as
/// it was made for have come and the bytes that were announced are there.
using SharedBarrier = uint64_t;

__device__ inline uint32_t shared_address(const void* shared) {
#if defined(__CUDACC__)
  return static_cast<uint32_t>(__cvta_generic_to_shared(shared));
#else
  return static_cast<uint32_t>(static_cast<const unsigned char*>(shared) - cuda_emulator::shared_memory());
#endif
}

__device__ inline void init_barrier(SharedBarrier* barrier, unsigned arrivals) {
#if defined(__CUDACC__)
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(barrier)), "r"(arrivals)
               : "memory");
#else
  cuda_emulator::init_barrier(barrier, arrivals);
#endif
}

/// Shows the barriers that the thread has made to copies; the other threads see them after __syncthreads.
__device__ inline void publish_barriers() {
#if defined(__CUDACC__)
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#else
  cuda_emulator::publish_barriers();
#endif
}

__device__ inline void arrive(SharedBarrier* barrier) {
#if defined(__CUDACC__)
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(barrier)) : "memory");
#else
  cuda_emulator::arrive(barrier, 0);
#endif
}

/// Announces bytes that copies will bring in this phase, and arrives.
__device__ inline void arrive_and_expect(SharedBarrier* barrier, unsigned bytes) {
#if defined(__CUDACC__)
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(barrier)),
               "r"(bytes)
               : "memory");
#else
  cuda_emulator::arrive(barrier, bytes);
#endif
}

/// Waits for the end of the phase of this parity; the phase before the first one has parity 1 and has ended.
/// A phase that does not end within many seconds ends the kernel with an error: nothing else would.
__device__ inline void wait_for_phase(SharedBarrier* barrier, unsigned parity) {
#if defined(__CUDACC__)
  constexpr long long kMostCycles = 1ll << 35;
  const uint32_t address = shared_address(barrier);
  const auto has_ended = [address, parity] {
    uint32_t ended;
    asm volatile(
        "{\n"
        ".reg .pred ended;\n"
        "mbarrier.try_wait.parity.shared::cta.b64 ended, [%1], %2;\n"
        "selp.u32 %0, 1, 0, ended;\n"
        "}"
        : "=r"(ended)
        : "r"(address), "r"(parity)
        : "memory");
    return ended != 0;
  };
  if (has_ended()) return;
  const long long start = clock64();
  while (!has_ended()) {
    if (clock64() - start > kMostCycles) __trap();
  }
#else
  cuda_emulator::wait_for_phase(barrier, parity);
#endif
}

/// Copies bytes, a multiple of 16 between borders of 16 bytes, from device memory to shared memory while the
/// thread goes on, and tells the barrier when they are there.
__device__ inline void copy_bulk_async(void* shared, const void* global, unsigned bytes,
                                       SharedBarrier* barrier) {
#if defined(__CUDACC__)
  asm volatile(
      "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(
          shared_address(shared)),
      "l"(__cvta_generic_to_global(global)), "r"(bytes), "r"(shared_address(barrier))
      : "memory");
#else
  cuda_emulator::copy_bulk(shared, global, bytes, barrier);
#endif
}

/// Has bytes, a multiple of 16 from a border of 16 bytes, brought into the device's cache.
__device__ inline void prefetch_bulk(const void* global, unsigned bytes) {
#if defined(__CUDACC__)
  asm volatile("cp.async.bulk.prefetch.L2.global [%0], %1;" ::"l"(__cvta_generic_to_global(global)),
               "r"(bytes)
               : "memory");
#else
  cuda_emulator::check_bulk(global, bytes);
#endif
}

/// Waits for the `threads` threads, whole warps, that come to the block's barrier `id`, 1 to 15.
__device__ inline void sync_threads(unsigned id, unsigned threads) {
#if defined(__CUDACC__)
  asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
#else
  cuda_emulator::sync_threads(id, threads);
#endif
}

/// An operand of a matrix instruction: rows (or queries) of 32 signed bytes each, in core matrices of 8 rows
/// of 16 bytes, one row after the other.
///
/// @param shared the first byte
/// @param along_bytes from a core matrix to the one with the next 16 bytes of its rows
/// @param across_bytes from a core matrix to the one with the next 8 rows
__device__ inline uint64_t matrix_operand(const void* shared, unsigned along_bytes, unsigned across_bytes) {
  // Bits 0-13, 16-29 and 32-45, in units of 16 bytes; bits 62 and 63 are zero: no swizzle.
  const auto field = [](uint32_t bytes) { return static_cast<uint64_t>((bytes & 0x3ffffu) >> 4); };
  return field(shared_address(shared)) | field(along_bytes) << 16 | field(across_bytes) << 32;
}

/// Between a thread's own use of sums and a multiplication into them.
__device__ inline void begin_multiplications() {
#if defined(__CUDACC__)
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#else
  cuda_emulator::begin_multiplications();
#endif
}

/// Ends a group of the warpgroup's multiplications.
__device__ inline void commit_multiplications() {
#if defined(__CUDACC__)
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
#else
  cuda_emulator::commit_multiplications();
#endif
}

/// Waits until all but the `kPending` last groups of the warpgroup's multiplications have been done: then
/// their operands are free, and with 0 pending their sums can be used, after `hold_sums`.
template <int kPending>
__device__ inline void wait_for_multiplications() {
#if defined(__CUDACC__)
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kPending) : "memory");
#else
  cuda_emulator::wait_for_multiplications(kPending);
#endif
}

#define GRANULE_SUMS_4(i) "+r"(sums[i]), "+r"(sums[(i) + 1]), "+r"(sums[(i) + 2]), "+r"(sums[(i) + 3])
#define GRANULE_SUMS_16(i) \
  GRANULE_SUMS_4(i), GRANULE_SUMS_4((i) + 4), GRANULE_SUMS_4((i) + 8), GRANULE_SUMS_4((i) + 12)
#define GRANULE_SUMS_32(i) GRANULE_SUMS_16(i), GRANULE_SUMS_16((i) + 16)
#define GRANULE_NAMES_0                                                                                \
  "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26," \
  "%27,%28,%29,%30,%31"
#define GRANULE_NAMES_32                                                                                 \
  "%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,%48,%49,%50,%51,%52,%53,%54,%55,%56," \
  "%57,%58,%59,%60,%61,%62,%63"
#define GRANULE_NAMES_64                                                                                 \
  "%64,%65,%66,%67,%68,%69,%70,%71,%72,%73,%74,%75,%76,%77,%78,%79,%80,%81,%82,%83,%84,%85,%86,%87,%88," \
  "%89,%90,%91,%92,%93,%94,%95"
#define GRANULE_NAMES_96                                                                                 \
  "%96,%97,%98,%99,%100,%101,%102,%103,%104,%105,%106,%107,%108,%109,%110,%111,%112,%113,%114,%115,%116" \
  ",%117,%118,%119,%120,%121,%122,%123,%124,%125,%126,%127"
/// One instruction of so many columns: its sums, the numbers of its three other operands, and the sums again.
#define GRANULE_MULTIPLY(columns, names, rows_name, queries_name, add_name, ...)                         \
  asm volatile("{\n.reg .pred add;\nsetp.ne.b32 add, " add_name                                          \
               ", 0;\nwgmma.mma_async.sync.aligned.m64n" columns "k32.s32.s8.s8 {" names "}, " rows_name \
               ", " queries_name ", add;\n}"                                                             \
               : __VA_ARGS__                                                                             \
               : "l"(rows), "l"(queries), "r"(add ? 1 : 0))

/// sums (64 x kColumns) = rows (64 x 32) * queries (32 x kColumns), signed bytes, over a warpgroup, added to
/// what the sums hold or not; begins now and is there once it was waited for. Thread t of the warpgroup, with
/// lane l, has in sums[4 j + 2 h + s] row 16 (t / 32) + l / 4 + 8 h and query 8 j + 2 (l % 4) + s.
///
/// @param rows, queries operands (`matrix_operand`)
template <unsigned kColumns>
__device__ inline void multiply_64xNx32_async(int (&sums)[kColumns / 2], uint64_t rows, uint64_t queries,
                                              bool add) {
  static_assert(kColumns == 64 || kColumns == 128 || kColumns == 256);
#if defined(__CUDACC__)
  if constexpr (kColumns == 64) {
    GRANULE_MULTIPLY("64", GRANULE_NAMES_0, "%32", "%33", "%34", GRANULE_SUMS_32(0));
  } else if constexpr (kColumns == 128) {
    GRANULE_MULTIPLY("128", GRANULE_NAMES_0 "," GRANULE_NAMES_32, "%64", "%65", "%66", GRANULE_SUMS_32(0),
                     GRANULE_SUMS_32(32));
  } else {
    GRANULE_MULTIPLY("256", GRANULE_NAMES_0 "," GRANULE_NAMES_32 "," GRANULE_NAMES_64 "," GRANULE_NAMES_96,
                     "%128", "%129", "%130", GRANULE_SUMS_32(0), GRANULE_SUMS_32(32), GRANULE_SUMS_32(64),
                     GRANULE_SUMS_32(96));
  }
#else
  cuda_emulator::multiply_async(sums, kColumns, rows, queries, add);
#endif
}

/// Keeps the compiler from moving what a thread itself does with sums to the other side: to it they are
/// there as soon as a multiplication began.
template <unsigned kSums>
__device__ inline void hold_sums(int (&sums)[kSums]) {
  static_assert(kSums % 32 == 0);
#if defined(__CUDACC__)
#pragma unroll
  for (unsigned i = 0; i < kSums; i += 32) asm volatile("" : GRANULE_SUMS_32(i)::"memory");
#else
  static_cast<void>(sums);
#endif
}

#undef GRANULE_MULTIPLY
#undef GRANULE_NAMES_96
#undef GRANULE_NAMES_64
#undef GRANULE_NAMES_32
#undef GRANULE_NAMES_0
#undef GRANULE_SUMS_32
#undef GRANULE_SUMS_16
#undef GRANULE_SUMS_4

}  // namespace granule::cuda
