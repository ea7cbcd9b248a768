#pragma once

// The inner loop of the AVX-512 VNNI scans of codes. To be included by files that are compiled for AVX-512
// F/BW/DQ/VL and VNNI, and by no other: everything is in an unnamed namespace, so that no other file can get
// a copy of it.

#include <cstddef>
#include <cstdint>

#include "kernels/avx512_intrinsics.h"
#include "kernels/inlining.h"

namespace granule {
namespace {

constexpr std::size_t kBlockRows = 16;
/// Bytes of a block per group of four dimensions: one register, a 32-bit lane per row.
constexpr std::size_t kGroupBytes = kBlockRows * 4;

/// sum += dot products of four unsigned with four signed bytes, in each of 16 lanes.
inline void dot_product(__m512i& sum, __m512i rows, __m512i codes) {
#if defined(__GNUC__)
  // GCC 12 spills every accumulator around the intrinsic.
  __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(rows), "v"(codes));
#else
  sum = _mm512_dpbusd_epi32(sum, rows, codes);
#endif
}

inline __m512i broadcast_codes(const int8_t* codes) {
  int32_t word;
  __builtin_memcpy(&word, codes, sizeof word);
  return _mm512_set1_epi32(word);
}

/// Integer dot products of Q <= 8 queries with R blocks of 16 rows, Q * R <= 24:
///
///     sum[q][r], lane l  =  start(q) + sum_i byte(row l of block r, i) * code(query q, i)
///
/// handed to `finish(sum)` while they are in registers; start(q) = -128 * (sum of query q's codes) makes them
/// the products of the codes. A loop over the sums must be unrolled (#pragma GCC unroll): only then do they
/// stay there.
///
/// @param codes the first block; the others follow it
/// @param query_codes groups * 4 bytes each, one query after another
/// @param upcoming what is read after this: Lines * groups cache lines are fetched from here on meanwhile,
/// into the second-level cache (the first is full of the queries, these codes and the results)
template <int Q, int R, int Lines, typename Start, typename Finish>
GRANULE_ALWAYS_INLINE void dot_product_tile(const uint8_t* codes, std::size_t groups,
                                            const int8_t* query_codes, const uint8_t* upcoming,
                                            const Start& start, const Finish& finish) {
  const std::size_t block_bytes = groups * kGroupBytes;
  const std::size_t query_bytes = groups * 4;
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
    __m512i rows[R];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
      rows[r] = _mm512_loadu_si512(codes + static_cast<std::size_t>(r) * block_bytes);
#pragma GCC unroll 8
    for (int q = 0; q < Q; ++q) {
      const int8_t* base = q < 4 ? words : words_from_four;
      const std::size_t offset = q % 4 == 3 ? three_queries : static_cast<std::size_t>(q % 4) * query_bytes;
      const __m512i word = broadcast_codes(base + offset);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) dot_product(sum[q][r], rows[r], word);
    }
#pragma GCC unroll 8
    for (int line = 0; line < Lines; ++line) {
      _mm_prefetch(reinterpret_cast<const char*>(upcoming + static_cast<std::size_t>(line) * kGroupBytes),
                   _MM_HINT_T1);
    }
    upcoming += Lines * kGroupBytes;
    codes += kGroupBytes;
    words += 4;
    words_from_four += 4;
  }
  finish(sum);
}

template <int Q, int R, typename Start, typename Finish>
inline void dot_product_tile(const uint8_t* codes, std::size_t groups, const int8_t* query_codes,
                             const Start& start, const Finish& finish) {
  dot_product_tile<Q, R, 0>(codes, groups, query_codes, codes, start, finish);
}

}  // namespace
}  // namespace granule
