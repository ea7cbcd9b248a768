// Compiled for AVX2 and FMA; only intrinsics and functions of this file (see inner_product_avx2.cc).
#include <immintrin.h>

#include "kernels/code_scan/code_scan.h"

namespace granule {
namespace {

constexpr std::size_t kBlockRows = 16;

/// Four query codes in every 32-bit lane.
inline __m256i broadcast_codes(const int8_t* codes) {
  int32_t word;
  __builtin_memcpy(&word, codes, sizeof word);
  return _mm256_set1_epi32(word);
}

/// Interval of eight rows; appends the survivors.
inline uint32_t keep(const CodeBlocks& blocks, const CodeQuery& query, float threshold, std::size_t row,
                     __m256i sum, CodeSurvivor* out, uint32_t count) {
  const __m256 scale = _mm256_mul_ps(_mm256_set1_ps(query.scale), _mm256_loadu_ps(blocks.scales + row));
  __m256 a = _mm256_mul_ps(_mm256_cvtepi32_ps(sum), scale);
  __m256 w = _mm256_add_ps(
      _mm256_mul_ps(_mm256_set1_ps(query.norm_factor), _mm256_loadu_ps(blocks.code_norms + row)),
      _mm256_mul_ps(_mm256_set1_ps(query.residual_factor), _mm256_loadu_ps(blocks.residual_norms + row)));
  if (blocks.biases != nullptr) {
    const __m256 bias = _mm256_loadu_ps(blocks.biases + row);
    const __m256 magnitude = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), bias);
    a = _mm256_add_ps(a, bias);
    w = _mm256_add_ps(w, _mm256_mul_ps(_mm256_set1_ps(query.bias_factor), magnitude));
  }
  a = _mm256_add_ps(a, _mm256_set1_ps(query.shift));
  w = _mm256_add_ps(w, _mm256_set1_ps(query.slack));
  const __m256 upper = _mm256_add_ps(a, w);
  const int kept = _mm256_movemask_ps(_mm256_cmp_ps(upper, _mm256_set1_ps(threshold), _CMP_GE_OQ));
  if (kept == 0) return count;
  float lowers[8];
  float uppers[8];
  _mm256_storeu_ps(lowers, _mm256_sub_ps(a, w));
  _mm256_storeu_ps(uppers, upper);
  for (int r = 0; r < 8; ++r) {
    if (((kept >> r) & 1) != 0) {
      out[count++] = {static_cast<uint32_t>(row) + static_cast<uint32_t>(r), lowers[r], uppers[r]};
    }
  }
  return count;
}

/// One block of 16 rows for Q queries. |c| and |q| are at most 127, so a pair of products, at most 2 * 127 *
/// 127, never saturates int16: the unsigned operand is |q|, the signed one the row's code with the query's
/// sign.
template <int Q>
inline void block(const CodeBlocks& blocks, std::size_t b, const int8_t* query_codes,
                  const CodeQuery* queries, const float* thresholds, CodeSurvivor* survivors,
                  std::size_t survivor_stride, uint32_t* counts) {
  const uint8_t* codes = blocks.codes + b * blocks.groups * kBlockRows * 4;
  const __m256i ones = _mm256_set1_epi16(1);
  const __m256i sign_bit = _mm256_set1_epi8(-128);
  __m256i sum[Q][2];
  for (int q = 0; q < Q; ++q) sum[q][0] = sum[q][1] = _mm256_setzero_si256();
  for (std::size_t g = 0; g < blocks.groups; ++g) {
    const auto* bytes = reinterpret_cast<const __m256i*>(codes + g * kBlockRows * 4);
    const __m256i low = _mm256_xor_si256(_mm256_loadu_si256(bytes), sign_bit);
    const __m256i high = _mm256_xor_si256(_mm256_loadu_si256(bytes + 1), sign_bit);
    for (int q = 0; q < Q; ++q) {
      const __m256i code =
          broadcast_codes(query_codes + (static_cast<std::size_t>(q) * blocks.groups + g) * 4);
      const __m256i magnitude = _mm256_abs_epi8(code);
      sum[q][0] = _mm256_add_epi32(
          sum[q][0], _mm256_madd_epi16(_mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(low, code)), ones));
      sum[q][1] = _mm256_add_epi32(
          sum[q][1], _mm256_madd_epi16(_mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(high, code)), ones));
    }
  }
  for (int q = 0; q < Q; ++q) {
    CodeSurvivor* out = survivors + static_cast<std::size_t>(q) * survivor_stride;
    counts[q] = keep(blocks, queries[q], thresholds[q], b * kBlockRows, sum[q][0], out, counts[q]);
    counts[q] = keep(blocks, queries[q], thresholds[q], b * kBlockRows + 8, sum[q][1], out, counts[q]);
  }
}

}  // namespace

void code_scan_i8_avx2(const CodeBlocks& blocks, std::size_t block_count, const int8_t* codes,
                       const CodeQuery* queries, std::size_t query_count, const float* thresholds,
                       CodeSurvivor* survivors, std::size_t survivor_stride, uint32_t* counts) {
  for (std::size_t q = 0; q < query_count; ++q) counts[q] = 0;
  for (std::size_t b = 0; b < block_count; ++b) {
    std::size_t q = 0;
    for (; q + 4 <= query_count; q += 4) {
      block<4>(blocks, b, codes + q * blocks.groups * 4, queries + q, thresholds + q,
               survivors + q * survivor_stride, survivor_stride, counts + q);
    }
    for (; q < query_count; ++q) {
      block<1>(blocks, b, codes + q * blocks.groups * 4, queries + q, thresholds + q,
               survivors + q * survivor_stride, survivor_stride, counts + q);
    }
  }
}

}  // namespace granule
