// Compiled for AVX-512 F/BW/DQ/VL and VNNI; only intrinsics and functions of this file (see
// inner_product_avx512.cc).
#include "kernels/avx512_intrinsics.h"
#include "kernels/code_scan/code_scan.h"

namespace granule {
namespace {

constexpr std::size_t kBlockRows = 16;

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

/// Interval of the 16 rows of a block; appends the survivors.
inline uint32_t keep(const CodeBlocks& blocks, const CodeQuery& query, float threshold, std::size_t row,
                     __m512i sum, CodeSurvivor* out, uint32_t count) {
  const __m512i exact = _mm512_sub_epi32(sum, _mm512_set1_epi32(query.offset));
  const __m512 scale = _mm512_mul_ps(_mm512_set1_ps(query.scale), _mm512_loadu_ps(blocks.scales + row));
  __m512 a = _mm512_mul_ps(_mm512_cvtepi32_ps(exact), scale);
  __m512 w = _mm512_add_ps(
      _mm512_mul_ps(_mm512_set1_ps(query.norm_factor), _mm512_loadu_ps(blocks.code_norms + row)),
      _mm512_mul_ps(_mm512_set1_ps(query.residual_factor), _mm512_loadu_ps(blocks.residual_norms + row)));
  if (blocks.biases != nullptr) {
    const __m512 bias = _mm512_loadu_ps(blocks.biases + row);
    a = _mm512_add_ps(a, bias);
    w = _mm512_add_ps(w, _mm512_mul_ps(_mm512_set1_ps(query.bias_factor), _mm512_abs_ps(bias)));
  }
  a = _mm512_add_ps(a, _mm512_set1_ps(query.shift));
  w = _mm512_add_ps(w, _mm512_set1_ps(query.slack));
  const __m512 upper = _mm512_add_ps(a, w);
  uint32_t kept = _mm512_cmp_ps_mask(upper, _mm512_set1_ps(threshold), _CMP_GE_OQ);
  if (kept == 0) return count;
  float lowers[kBlockRows];
  float uppers[kBlockRows];
  _mm512_storeu_ps(lowers, _mm512_sub_ps(a, w));
  _mm512_storeu_ps(uppers, upper);
  for (; kept != 0; kept &= kept - 1) {
    const uint32_t r = _tzcnt_u32(kept);
    out[count++] = {static_cast<uint32_t>(row) + r, lowers[r], uppers[r]};
  }
  return count;
}

/// R blocks of 16 rows for Q queries. Every loop over accumulators is unrolled: only then do they stay in
/// registers.
template <int Q, int R>
inline void tile(const CodeBlocks& blocks, std::size_t first_block, const int8_t* query_codes,
                 const CodeQuery* queries, const float* thresholds, CodeSurvivor* survivors,
                 std::size_t survivor_stride, uint32_t* counts) {
  const std::size_t block_bytes = blocks.groups * kBlockRows * 4;
  const std::size_t query_bytes = blocks.groups * 4;
  const uint8_t* codes = blocks.codes + first_block * block_bytes;
  // Two pointers and multiples of one stride address eight queries; a pointer for each would not fit the
  // registers.
  const int8_t* words = query_codes;
  const int8_t* words_from_four = query_codes + 4 * query_bytes;
  const std::size_t three_queries = 3 * query_bytes;
  __m512i sum[Q][R];
#pragma GCC unroll 8
  for (int q = 0; q < Q; ++q) {
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) sum[q][r] = _mm512_setzero_si512();
  }
  for (std::size_t g = 0; g < blocks.groups; ++g) {
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
    codes += kBlockRows * 4;
    words += 4;
    words_from_four += 4;
  }
  alignas(64) int32_t sums[Q][R][kBlockRows];
#pragma GCC unroll 8
  for (int q = 0; q < Q; ++q) {
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) _mm512_store_si512(sums[q][r], sum[q][r]);
  }
  for (int q = 0; q < Q; ++q) {
    CodeSurvivor* out = survivors + static_cast<std::size_t>(q) * survivor_stride;
    for (int r = 0; r < R; ++r) {
      counts[q] =
          keep(blocks, queries[q], thresholds[q], (first_block + static_cast<std::size_t>(r)) * kBlockRows,
               _mm512_load_si512(sums[q][r]), out, counts[q]);
    }
  }
}

template <int Q, int R>
inline void scan(const CodeBlocks& blocks, std::size_t block_count, const int8_t* codes,
                 const CodeQuery* queries, const float* thresholds, CodeSurvivor* survivors,
                 std::size_t survivor_stride, uint32_t* counts) {
  std::size_t b = 0;
  for (; b + R <= block_count; b += R) {
    tile<Q, R>(blocks, b, codes, queries, thresholds, survivors, survivor_stride, counts);
  }
  for (; b < block_count; ++b)
    tile<Q, 1>(blocks, b, codes, queries, thresholds, survivors, survivor_stride, counts);
}

}  // namespace

void code_scan_i8_avx512vnni(const CodeBlocks& blocks, std::size_t block_count, const int8_t* codes,
                             const CodeQuery* queries, std::size_t query_count, const float* thresholds,
                             CodeSurvivor* survivors, std::size_t survivor_stride, uint32_t* counts) {
  for (std::size_t q = 0; q < query_count; ++q) counts[q] = 0;
  std::size_t q = 0;
  for (; q + 8 <= query_count; q += 8) {
    scan<8, 3>(blocks, block_count, codes + q * blocks.groups * 4, queries + q, thresholds + q,
               survivors + q * survivor_stride, survivor_stride, counts + q);
  }
  for (; q + 2 <= query_count; q += 2) {
    scan<2, 4>(blocks, block_count, codes + q * blocks.groups * 4, queries + q, thresholds + q,
               survivors + q * survivor_stride, survivor_stride, counts + q);
  }
  if (q < query_count) {
    scan<1, 6>(blocks, block_count, codes + q * blocks.groups * 4, queries + q, thresholds + q,
               survivors + q * survivor_stride, survivor_stride, counts + q);
  }
}

}  // namespace granule
