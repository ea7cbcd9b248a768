#pragma once

// Integer dot products of codes in registers of 16 rows, for AVX-512 without VNNI. To be included by files
// that are compiled for AVX-512 F/BW/DQ/VL, and by no other: everything is in an unnamed namespace, so that
// no other file can get a copy of it.

#include <cstddef>
#include <cstdint>

#include "kernels/avx512_intrinsics.h"
#include "kernels/inlining.h"

namespace granule {
namespace {

/// The operations of a scan on a register of 16 rows.
struct LanesAvx512 {
  static constexpr std::size_t kLanes = 16;
  using Sums = __m512i;
  using Floats = __m512;
  using Mask = __mmask16;

  static GRANULE_ALWAYS_INLINE Floats load(const float* from) { return _mm512_loadu_ps(from); }
  static GRANULE_ALWAYS_INLINE void store(float* to, Floats a) { _mm512_storeu_ps(to, a); }
  static GRANULE_ALWAYS_INLINE Sums load(const int32_t* from) { return _mm512_loadu_si512(from); }
  static GRANULE_ALWAYS_INLINE void store(int32_t* to, Sums a) { _mm512_storeu_si512(to, a); }
  static GRANULE_ALWAYS_INLINE Floats all(float value) { return _mm512_set1_ps(value); }
  static GRANULE_ALWAYS_INLINE Floats add(Floats a, Floats b) { return _mm512_add_ps(a, b); }
  static GRANULE_ALWAYS_INLINE Floats subtract(Floats a, Floats b) { return _mm512_sub_ps(a, b); }
  static GRANULE_ALWAYS_INLINE Floats multiply(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
  static GRANULE_ALWAYS_INLINE Floats greater(Floats a, Floats b) { return _mm512_max_ps(a, b); }
  static GRANULE_ALWAYS_INLINE float greatest_lane(Floats a) { return _mm512_reduce_max_ps(a); }
  static GRANULE_ALWAYS_INLINE Floats magnitude(Floats a) { return _mm512_abs_ps(a); }
  static GRANULE_ALWAYS_INLINE Floats to_floats(Sums a) { return _mm512_cvtepi32_ps(a); }
  /// a >= b
  static GRANULE_ALWAYS_INLINE Mask at_least(Floats a, Floats b) {
    return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ);
  }
  /// Not a < b: also where one is undefined.
  static GRANULE_ALWAYS_INLINE Mask not_below(Floats a, Floats b) {
    return _mm512_cmp_ps_mask(a, b, _CMP_NLT_UQ);
  }
  static GRANULE_ALWAYS_INLINE Mask either(Mask a, Mask b) { return static_cast<Mask>(a | b); }
  /// Bit l: lane l.
  static GRANULE_ALWAYS_INLINE uint32_t bits(Mask a) { return a; }
  static GRANULE_ALWAYS_INLINE bool any(Mask a) { return a != 0; }
};

/// A tile of integer dot products, on registers of 16 rows. A product of two codes is at most 127^2, so that
/// a pair never saturates int16: the unsigned operand is the magnitude of the row's code, the signed one the
/// query's code with the row's sign.
struct TileAvx512 : LanesAvx512 {
  /// Whether the sums are those of code + 128, as rows are stored.
  static constexpr bool kOffsetRows = false;
  /// Queries and registers of rows of the tile that suits a batch.
  static constexpr int kBatchQueries = 8;
  static constexpr int kBatchParts = 2;

  /// Integer dot products of Q <= 8 queries with R blocks of rows:
  ///
  ///     sum[q][r], lane l  =  start(q) + sum_i code(row 16 (part + r) + l, i) * code(query q, i)
  ///
  /// handed to `finish(sum)` while they are in registers. A loop over the sums must be unrolled (#pragma GCC
  /// unroll): only then do they stay there.
  ///
  /// @param codes the first block of all
  /// @param part the first block of the tile
  /// @param query_codes groups * 4 bytes each, one query after another
  template <int Q, int R, typename Start, typename Finish>
  static GRANULE_ALWAYS_INLINE void products(const uint8_t* codes, std::size_t groups, std::size_t part,
                                             const int8_t* query_codes, const Start& start,
                                             const Finish& finish) {
    constexpr std::size_t kGroupBytes = 64;
    const std::size_t block_bytes = groups * kGroupBytes;
    const std::size_t query_bytes = groups * 4;
    const uint8_t* bytes = codes + part * block_bytes;
    // Two pointers and multiples of one stride address eight queries; a pointer for each would not fit the
    // registers.
    const int8_t* words = query_codes;
    const int8_t* words_from_four = query_codes + 4 * query_bytes;
    const std::size_t three_queries = 3 * query_bytes;
    __m512i sum[Q][R];
#pragma GCC unroll 8
    for (int q = 0; q < Q; ++q) {
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) sum[q][r] = _mm512_set1_epi32(start(q));
    }
    for (std::size_t g = 0; g < groups; ++g) {
      __m512i magnitudes[R];
      __mmask64 negative[R];
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        const __m512i row = _mm512_xor_si512(
            _mm512_loadu_si512(bytes + static_cast<std::size_t>(r) * block_bytes), _mm512_set1_epi8(-128));
        magnitudes[r] = _mm512_abs_epi8(row);
        negative[r] = _mm512_movepi8_mask(row);
      }
#pragma GCC unroll 8
      for (int q = 0; q < Q; ++q) {
        const int8_t* base = q < 4 ? words : words_from_four;
        const std::size_t offset = q % 4 == 3 ? three_queries : static_cast<std::size_t>(q % 4) * query_bytes;
        const __m512i query = broadcast(base + offset);
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) {
          const __m512i signed_query =
              _mm512_mask_sub_epi8(query, negative[r], _mm512_setzero_si512(), query);
          const __m512i pairs = _mm512_maddubs_epi16(magnitudes[r], signed_query);
          sum[q][r] = _mm512_add_epi32(sum[q][r], _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
        }
      }
      bytes += kGroupBytes;
      words += 4;
      words_from_four += 4;
    }
    finish(sum);
  }

 private:
  /// Four query codes in every 32-bit lane.
  static GRANULE_ALWAYS_INLINE __m512i broadcast(const int8_t* codes) {
    int32_t word;
    __builtin_memcpy(&word, codes, sizeof word);
    return _mm512_set1_epi32(word);
  }
};

}  // namespace
}  // namespace granule
