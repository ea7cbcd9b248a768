#pragma once

// Integer dot products of codes in registers of 8 rows, for AVX2 and AVX-VNNI. To be included by files that
// are compiled for AVX2 at least, and by no other: everything is in an unnamed namespace, so that no other
// file can get a copy of it.

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/inlining.h"

namespace granule {
namespace {

/// The operations of a scan on a register of 8 rows.
struct LanesAvx2 {
  static constexpr std::size_t kLanes = 8;
  using Sums = __m256i;
  using Floats = __m256;
  using Mask = __m256;

  static GRANULE_ALWAYS_INLINE Floats load(const float* from) { return _mm256_loadu_ps(from); }
  static GRANULE_ALWAYS_INLINE void store(float* to, Floats a) { _mm256_storeu_ps(to, a); }
  static GRANULE_ALWAYS_INLINE Sums load(const int32_t* from) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  }
  static GRANULE_ALWAYS_INLINE void store(int32_t* to, Sums a) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), a);
  }
  static GRANULE_ALWAYS_INLINE Floats all(float value) { return _mm256_set1_ps(value); }
  static GRANULE_ALWAYS_INLINE Floats add(Floats a, Floats b) { return _mm256_add_ps(a, b); }
  static GRANULE_ALWAYS_INLINE Floats subtract(Floats a, Floats b) { return _mm256_sub_ps(a, b); }
  static GRANULE_ALWAYS_INLINE Floats multiply(Floats a, Floats b) { return _mm256_mul_ps(a, b); }
  static GRANULE_ALWAYS_INLINE Floats greater(Floats a, Floats b) { return _mm256_max_ps(a, b); }
  static GRANULE_ALWAYS_INLINE float greatest_lane(Floats a) {
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
  }
  static GRANULE_ALWAYS_INLINE Floats magnitude(Floats a) { return _mm256_andnot_ps(all(-0.0f), a); }
  static GRANULE_ALWAYS_INLINE Floats to_floats(Sums a) { return _mm256_cvtepi32_ps(a); }
  /// a >= b
  static GRANULE_ALWAYS_INLINE Mask at_least(Floats a, Floats b) { return _mm256_cmp_ps(a, b, _CMP_GE_OQ); }
  /// Not a < b: also where one is undefined.
  static GRANULE_ALWAYS_INLINE Mask not_below(Floats a, Floats b) { return _mm256_cmp_ps(a, b, _CMP_NLT_UQ); }
  static GRANULE_ALWAYS_INLINE Mask either(Mask a, Mask b) { return _mm256_or_ps(a, b); }
  /// Bit l: lane l.
  static GRANULE_ALWAYS_INLINE uint32_t bits(Mask a) { return static_cast<uint32_t>(_mm256_movemask_ps(a)); }
  static GRANULE_ALWAYS_INLINE bool any(Mask a) { return bits(a) != 0; }
};

/// Products by AVX2. A product of two codes is at most 127^2, so that a pair never saturates int16: the
/// unsigned operand is the magnitude of the row's code, the signed one the query's code with the row's sign.
struct ProductsAvx2 {
  /// Whether the sums are those of code + 128, as rows are stored.
  static constexpr bool kOffsetRows = false;
  /// Queries and registers of rows of the tile that suits a batch.
  static constexpr int kBatchQueries = 8;
  static constexpr int kBatchParts = 1;

  struct Rows {
    __m256i codes;
    __m256i magnitudes;
  };

  static GRANULE_ALWAYS_INLINE Rows load(const uint8_t* bytes) {
    const __m256i codes =
        _mm256_xor_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes)), _mm256_set1_epi8(-128));
    return {codes, _mm256_abs_epi8(codes)};
  }

  static GRANULE_ALWAYS_INLINE void add(__m256i& sum, const Rows& rows, __m256i query) {
    const __m256i pairs = _mm256_maddubs_epi16(rows.magnitudes, _mm256_sign_epi8(query, rows.codes));
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
};

/// A tile of integer dot products, on registers of 8 rows, by `Products`.
template <typename Products>
struct TileAvx2 : LanesAvx2 {
  static constexpr bool kOffsetRows = Products::kOffsetRows;
  static constexpr int kBatchQueries = Products::kBatchQueries;
  static constexpr int kBatchParts = Products::kBatchParts;

  /// Integer dot products of Q <= 8 queries with R registers of rows:
  ///
  ///     sum[q][r], lane l  =  start(q) + sum_i byte(row 8 (part + r) + l, i) * code(query q, i)
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
    constexpr std::size_t kGroupBytes = 64;
    const std::size_t block_bytes = groups * kGroupBytes;
    const std::size_t query_bytes = groups * 4;
    const uint8_t* bytes[R];
#pragma GCC unroll 8
    for (std::size_t r = 0; r < R; ++r) {
      bytes[r] = codes + (part + r) / 2 * block_bytes + (part + r) % 2 * (kGroupBytes / 2);
    }
    // Two pointers and multiples of one stride address eight queries; a pointer for each would not fit the
    // registers.
    const int8_t* words = query_codes;
    const int8_t* words_from_four = query_codes + 4 * query_bytes;
    const std::size_t three_queries = 3 * query_bytes;
    __m256i sum[Q][R];
#pragma GCC unroll 8
    for (int q = 0; q < Q; ++q) {
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) sum[q][r] = _mm256_set1_epi32(start(q));
    }
    for (std::size_t g = 0; g < groups; ++g) {
      typename Products::Rows rows[R];
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) rows[r] = Products::load(bytes[r] + g * kGroupBytes);
#pragma GCC unroll 8
      for (int q = 0; q < Q; ++q) {
        const int8_t* base = q < 4 ? words : words_from_four;
        const std::size_t offset = q % 4 == 3 ? three_queries : static_cast<std::size_t>(q % 4) * query_bytes;
        const __m256i query = broadcast(base + offset);
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) Products::add(sum[q][r], rows[r], query);
      }
      words += 4;
      words_from_four += 4;
    }
    finish(sum);
  }

 private:
  /// Four query codes in every 32-bit lane.
  static GRANULE_ALWAYS_INLINE __m256i broadcast(const int8_t* codes) {
    int32_t word;
    __builtin_memcpy(&word, codes, sizeof word);
    return _mm256_set1_epi32(word);
  }
};

}  // namespace
}  // namespace granule
