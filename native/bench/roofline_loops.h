#pragma once

#include <cstddef>
#include <cstdint>

// An array of accumulators stays in registers only where every loop over it is unrolled.
#if defined(__clang__)
#define GRANULE_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define GRANULE_UNROLL _Pragma("GCC unroll 32")
#else
#define GRANULE_UNROLL
#endif

namespace granule {

/// The loops that find what a processor can do at most, one set per instruction set. An operation is one
/// multiplication or one addition, so that a fused multiply-add of 16 lanes counts as 32.
struct RooflineLoops {
  const char* name;

  /// Reads `bytes` bytes, a multiple of 512, from a 64-byte boundary, with several independent accumulators.
  /// @return a value that depends on all of them
  std::uint64_t (*read)(const void* data, std::size_t bytes);

  /// Copies `bytes` bytes, a multiple of 512, between 64-byte boundaries with plain loads and stores.
  void (*copy)(void* to, const void* from, std::size_t bytes);

  /// float32 multiply-adds on registers alone.
  /// @return the operations done: `rounds` times what one round does
  std::uint64_t (*multiply_add_f32)(std::uint64_t rounds);

  /// int8 products added to int32 sums, on registers alone.
  /// @return the operations done
  std::uint64_t (*dot_int8)(std::uint64_t rounds);

  /// The instruction that `dot_int8` runs.
  const char* dot_int8_instruction;
};

/// The loops of the strongest instruction set that this processor runs.
RooflineLoops choose_roofline_loops();

/// Where the value of a loop goes, so that the compiler keeps the loop.
inline volatile std::uint64_t roofline_sink = 0;

extern const RooflineLoops kRooflineScalar;
#if defined(__x86_64__) || defined(_M_X64)
extern const RooflineLoops kRooflineAvx2;
#if defined(__GNUC__)
/// As `dot_int8` of AVX2, with AVX-VNNI.
std::uint64_t dot_int8_avxvnni(std::uint64_t rounds);
#endif
extern const RooflineLoops kRooflineAvx512;
/// As `dot_int8` of AVX-512, with VNNI.
std::uint64_t dot_int8_avx512vnni(std::uint64_t rounds);
#elif defined(__aarch64__) || defined(_M_ARM64)
extern const RooflineLoops kRooflineNeon;
#if defined(__GNUC__)
/// As `dot_int8` of NEON, with its dot-product instructions.
std::uint64_t dot_int8_neon_dotprod(std::uint64_t rounds);
#endif
#endif

}  // namespace granule
