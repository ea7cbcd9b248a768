#pragma once

// Integer dot products of codes in registers of 4 rows, for 64-bit Arm. To be included by files of one
// instruction set each: everything is in an unnamed namespace, so that no file gets a copy that was compiled
// for another.

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

#include "kernels/inlining.h"

namespace granule {
namespace {

/// The operations of a scan on a register of 4 rows.
struct LanesNeon {
  static constexpr std::size_t kLanes = 4;
  using Sums = int32x4_t;
  using Floats = float32x4_t;
  using Mask = uint32x4_t;

  static GRANULE_ALWAYS_INLINE Floats load(const float* from) { return vld1q_f32(from); }
  static GRANULE_ALWAYS_INLINE void store(float* to, Floats a) { vst1q_f32(to, a); }
  static GRANULE_ALWAYS_INLINE Sums load(const int32_t* from) { return vld1q_s32(from); }
  static GRANULE_ALWAYS_INLINE void store(int32_t* to, Sums a) { vst1q_s32(to, a); }
  static GRANULE_ALWAYS_INLINE Floats all(float value) { return vdupq_n_f32(value); }
  static GRANULE_ALWAYS_INLINE Floats add(Floats a, Floats b) { return vaddq_f32(a, b); }
  static GRANULE_ALWAYS_INLINE Floats subtract(Floats a, Floats b) { return vsubq_f32(a, b); }
  static GRANULE_ALWAYS_INLINE Floats multiply(Floats a, Floats b) { return vmulq_f32(a, b); }
  static GRANULE_ALWAYS_INLINE Floats greater(Floats a, Floats b) { return vmaxq_f32(a, b); }
  static GRANULE_ALWAYS_INLINE float greatest_lane(Floats a) { return vmaxvq_f32(a); }
  static GRANULE_ALWAYS_INLINE Floats magnitude(Floats a) { return vabsq_f32(a); }
  static GRANULE_ALWAYS_INLINE Floats to_floats(Sums a) { return vcvtq_f32_s32(a); }
  /// a >= b
  static GRANULE_ALWAYS_INLINE Mask at_least(Floats a, Floats b) { return vcgeq_f32(a, b); }
  /// Not a < b: also where one is undefined.
  static GRANULE_ALWAYS_INLINE Mask not_below(Floats a, Floats b) { return vmvnq_u32(vcltq_f32(a, b)); }
  static GRANULE_ALWAYS_INLINE Mask either(Mask a, Mask b) { return vorrq_u32(a, b); }
  static GRANULE_ALWAYS_INLINE bool any(Mask a) { return vmaxvq_u32(a) != 0; }
  /// Bit l: lane l.
  static GRANULE_ALWAYS_INLINE uint32_t bits(Mask a) {
    const uint32_t bit[4] = {1, 2, 4, 8};
    return vaddvq_u32(vandq_u32(a, vld1q_u32(bit)));
  }
};

/// Products by plain NEON: of two codes at most 127^2, of which two fit in int16.
struct ProductsNeon {
  /// Whether the sums are those of code + 128, as rows are stored.
  static constexpr bool kOffsetRows = false;
  /// Queries and registers of rows of the tile that suits a batch.
  static constexpr int kBatchQueries = 4;
  static constexpr int kBatchParts = 2;

  using Rows = int8x16_t;

  static GRANULE_ALWAYS_INLINE Rows load(const uint8_t* bytes) {
    return vreinterpretq_s8_u8(veorq_u8(vld1q_u8(bytes), vdupq_n_u8(0x80)));
  }

  /// @param queries four groups of a query's codes, of which `Group` is used
  template <int Group>
  static GRANULE_ALWAYS_INLINE void add(int32x4_t& sum, Rows rows, int8x16_t queries) {
    const int8x16_t query = vreinterpretq_s8_s32(vdupq_laneq_s32(vreinterpretq_s32_s8(queries), Group));
    const int16x8_t first_rows = vmull_s8(vget_low_s8(rows), vget_low_s8(query));
    const int16x8_t last_rows = vmull_high_s8(rows, query);
    sum = vpadalq_s16(sum, vpaddq_s16(first_rows, last_rows));
  }
};

/// A tile of integer dot products, on registers of 4 rows, by `Products`.
template <typename Products>
struct TileNeon : LanesNeon {
  static constexpr bool kOffsetRows = Products::kOffsetRows;
  static constexpr int kBatchQueries = Products::kBatchQueries;
  static constexpr int kBatchParts = Products::kBatchParts;

  /// Integer dot products of Q queries with R registers of rows:
  ///
  ///     sum[q][r], lane l  =  start(q) + sum_i byte(row 4 (part + r) + l, i) * code(query q, i)
  ///
  /// (of the rows' codes themselves where not kOffsetRows), handed to `finish(sum)` while they are in
  /// registers. A loop over the sums must be unrolled (#pragma GCC unroll): only then do they stay there.
  ///
  /// @param codes the first block of all
  /// @param part the first register of rows, counted from there
  /// @param query_codes groups * 4 bytes each, one query after another
  template <int Q, int R, typename Start, typename Finish>
  static GRANULE_ALWAYS_INLINE void products(const uint8_t* codes, std::size_t groups, std::size_t part,
                                             const int8_t* query_codes, const Start& start,
                                             const Finish& finish) {
    const std::size_t block_bytes = groups * kGroupBytes;
    const std::size_t query_bytes = groups * 4;
    const uint8_t* bytes[R];
#pragma GCC unroll 8
    for (std::size_t r = 0; r < R; ++r) {
      bytes[r] = codes + (part + r) / 4 * block_bytes + (part + r) % 4 * (kGroupBytes / 4);
    }
    int32x4_t sum[Q][R];
#pragma GCC unroll 8
    for (int q = 0; q < Q; ++q) {
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) sum[q][r] = vdupq_n_s32(start(q));
    }
    int8x16_t queries[Q];
    std::size_t g = 0;
    for (; g + 4 <= groups; g += 4) {
#pragma GCC unroll 8
      for (int q = 0; q < Q; ++q) {
        queries[q] = vld1q_s8(query_codes + static_cast<std::size_t>(q) * query_bytes + g * 4);
      }
      add_group<0, Q, R>(sum, bytes, g, queries);
      add_group<1, Q, R>(sum, bytes, g + 1, queries);
      add_group<2, Q, R>(sum, bytes, g + 2, queries);
      add_group<3, Q, R>(sum, bytes, g + 3, queries);
    }
    for (; g < groups; ++g) {
#pragma GCC unroll 8
      for (int q = 0; q < Q; ++q) {
        int32_t word;
        __builtin_memcpy(&word, query_codes + static_cast<std::size_t>(q) * query_bytes + g * 4, sizeof word);
        queries[q] = vreinterpretq_s8_s32(vdupq_n_s32(word));
      }
      add_group<0, Q, R>(sum, bytes, g, queries);
    }
    finish(sum);
  }

 private:
  static constexpr std::size_t kGroupBytes = 64;

  template <int Group, int Q, int R>
  static GRANULE_ALWAYS_INLINE void add_group(int32x4_t (&sum)[Q][R], const uint8_t* const (&bytes)[R],
                                              std::size_t group, const int8x16_t (&queries)[Q]) {
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const typename Products::Rows rows = Products::load(bytes[r] + group * kGroupBytes);
#pragma GCC unroll 8
      for (int q = 0; q < Q; ++q) Products::template add<Group>(sum[q][r], rows, queries[q]);
    }
  }
};

}  // namespace
}  // namespace granule
