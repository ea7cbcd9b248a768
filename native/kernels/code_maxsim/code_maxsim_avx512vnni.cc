// Compiled for AVX-512 F/BW/DQ/VL and VNNI; only intrinsics and functions of this file (see
// inner_product_avx512.cc).
#include "kernels/avx512_intrinsics.h"
#include "kernels/code_maxsim/code_maxsim.h"

namespace granule {
namespace {

constexpr std::size_t kBlockRows = 16;

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

/// Running maxima of one query vector, a lane per row of a block.
struct Maxima {
  __m512 lower;
  __m512 upper;
};

inline void fold(const CodeBlocks& blocks, const CodeQuery& query, std::size_t row, __mmask16 present,
                 __m512i sum, Maxima* maxima) {
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
  maxima->lower = _mm512_mask_max_ps(maxima->lower, present, maxima->lower, _mm512_sub_ps(a, w));
  maxima->upper = _mm512_mask_max_ps(maxima->upper, present, maxima->upper, _mm512_add_ps(a, w));
}

/// R blocks for Q query vectors. Every loop over accumulators is unrolled: only then do they stay in
/// registers.
template <int Q, int R>
inline void tile(const CodeBlocks& blocks, std::size_t first_block, const __mmask16* present,
                 const int8_t* query_codes, const CodeQuery* queries, Maxima* maxima) {
  const std::size_t block_bytes = blocks.groups * kBlockRows * 4;
  const std::size_t query_bytes = blocks.groups * 4;
  const uint8_t* codes = blocks.codes + first_block * block_bytes;
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
    for (int r = 0; r < R; ++r) {
      fold(blocks, queries[q], (first_block + static_cast<std::size_t>(r)) * kBlockRows, present[r],
           _mm512_load_si512(sums[q][r]), &maxima[q]);
    }
  }
}

/// The rows of a block that belong to the document.
inline __mmask16 rows_of_block(std::size_t block, std::size_t first, std::size_t end) {
  const std::size_t begin = block * kBlockRows;
  const uint32_t from = first > begin ? static_cast<uint32_t>(first - begin) : 0;
  const uint32_t to = end < begin + kBlockRows ? static_cast<uint32_t>(end - begin) : 16;
  return static_cast<__mmask16>(((1u << to) - 1u) & ~((1u << from) - 1u));
}

template <int Q>
inline void document(const CodeBlocks& blocks, std::size_t first, std::size_t count, const int8_t* codes,
                     const CodeQuery* queries, float* lowers, float* uppers) {
  const __m512 lowest = _mm512_castsi512_ps(_mm512_set1_epi32(static_cast<int>(0xff800000u)));
  Maxima maxima[Q];
  for (int q = 0; q < Q; ++q) maxima[q] = {lowest, lowest};
  const std::size_t end = first + count;
  const std::size_t block_count = (end + kBlockRows - 1) / kBlockRows;
  std::size_t b = 0;
  for (; b + 3 <= block_count; b += 3) {
    const __mmask16 present[3] = {rows_of_block(b, first, end), rows_of_block(b + 1, first, end),
                                  rows_of_block(b + 2, first, end)};
    tile<Q, 3>(blocks, b, present, codes, queries, maxima);
  }
  for (; b < block_count; ++b) {
    const __mmask16 present = rows_of_block(b, first, end);
    tile<Q, 1>(blocks, b, &present, codes, queries, maxima);
  }
  for (int q = 0; q < Q; ++q) {
    lowers[q] = _mm512_reduce_max_ps(maxima[q].lower);
    uppers[q] = _mm512_reduce_max_ps(maxima[q].upper);
  }
}

}  // namespace

void code_maxsim_i8_avx512vnni(const CodeBlocks& blocks, std::size_t first, std::size_t count,
                               const int8_t* codes, const CodeQuery* queries, std::size_t query_count,
                               float* lowers, float* uppers) {
  const std::size_t query_bytes = blocks.groups * 4;
  std::size_t q = 0;
  for (; q + 8 <= query_count; q += 8) {
    document<8>(blocks, first, count, codes + q * query_bytes, queries + q, lowers + q, uppers + q);
  }
  for (; q + 4 <= query_count; q += 4) {
    document<4>(blocks, first, count, codes + q * query_bytes, queries + q, lowers + q, uppers + q);
  }
  for (; q < query_count; ++q) {
    document<1>(blocks, first, count, codes + q * query_bytes, queries + q, lowers + q, uppers + q);
  }
}

}  // namespace granule
