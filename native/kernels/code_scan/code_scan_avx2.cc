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

/// What a query's integer products with eight rows stand for.
inline __m256 scaled(const CodeBlocks& blocks, const CodeQuery& query, std::size_t row, __m256i sum) {
  return _mm256_mul_ps(_mm256_cvtepi32_ps(sum),
                       _mm256_mul_ps(_mm256_set1_ps(query.scale), _mm256_loadu_ps(blocks.scales + row)));
}

/// The same of a query of two planes.
inline __m256 scaled(const CodeBlocks& blocks, const CodeQuery& query, std::size_t row, __m256i sum,
                     __m256i fine) {
  return _mm256_mul_ps(
      _mm256_add_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(sum), _mm256_set1_ps(query.scale)),
                    _mm256_mul_ps(_mm256_cvtepi32_ps(fine), _mm256_set1_ps(query.fine_scale))),
      _mm256_loadu_ps(blocks.scales + row));
}

/// Interval of eight rows; appends the survivors and returns where the next goes.
inline CodeSurvivor* keep(const CodeBlocks& blocks, const CodeQuery* queries, std::size_t q, float threshold,
                          std::size_t row, __m256 a, CodeSurvivor* out) {
  const CodeQuery& query = queries[q];
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
  if (kept == 0) return out;
  float lowers[8];
  float uppers[8];
  _mm256_storeu_ps(lowers, _mm256_sub_ps(a, w));
  _mm256_storeu_ps(uppers, upper);
  for (int r = 0; r < 8; ++r) {
    if (((kept >> r) & 1) != 0) {
      *out++ = {static_cast<uint32_t>(row) + static_cast<uint32_t>(r), static_cast<uint32_t>(q), lowers[r],
                uppers[r]};
    }
  }
  return out;
}

/// One block of 16 rows for the queries from `first` on, Q of them. |c| and |q| are at most 127, so a pair of
/// products, at most 2 * 127 * 127, never saturates int16: the unsigned operand is |q|, the signed one the
/// row's code with the query's sign.
template <int Q, int Planes>
inline CodeSurvivor* block(const CodeBlocks& blocks, std::size_t b, const int8_t* query_codes,
                           const CodeQuery* queries, std::size_t first, const float* thresholds,
                           CodeSurvivor* out) {
  constexpr int kSums = Q * Planes;
  const uint8_t* codes = blocks.codes + b * blocks.groups * kBlockRows * 4;
  const int8_t* words = query_codes + first * Planes * blocks.groups * 4;
  const __m256i ones = _mm256_set1_epi16(1);
  const __m256i sign_bit = _mm256_set1_epi8(-128);
  __m256i sum[kSums][2];
  for (int s = 0; s < kSums; ++s) sum[s][0] = sum[s][1] = _mm256_setzero_si256();
  for (std::size_t g = 0; g < blocks.groups; ++g) {
    const auto* bytes = reinterpret_cast<const __m256i*>(codes + g * kBlockRows * 4);
    const __m256i low = _mm256_xor_si256(_mm256_loadu_si256(bytes), sign_bit);
    const __m256i high = _mm256_xor_si256(_mm256_loadu_si256(bytes + 1), sign_bit);
    for (int s = 0; s < kSums; ++s) {
      const __m256i code = broadcast_codes(words + (static_cast<std::size_t>(s) * blocks.groups + g) * 4);
      const __m256i magnitude = _mm256_abs_epi8(code);
      sum[s][0] = _mm256_add_epi32(
          sum[s][0], _mm256_madd_epi16(_mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(low, code)), ones));
      sum[s][1] = _mm256_add_epi32(
          sum[s][1], _mm256_madd_epi16(_mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(high, code)), ones));
    }
  }
  for (int i = 0; i < Q; ++i) {
    const std::size_t q = first + static_cast<std::size_t>(i);
    for (std::size_t half = 0; half < 2; ++half) {
      const std::size_t row = b * kBlockRows + half * 8;
      const __m256 a = Planes == 2 ? scaled(blocks, queries[q], row, sum[i * Planes][half],
                                            sum[i * Planes + Planes - 1][half])
                                   : scaled(blocks, queries[q], row, sum[i * Planes][half]);
      out = keep(blocks, queries, q, thresholds[q], row, a, out);
    }
  }
  return out;
}

}  // namespace

std::size_t code_scan_i8_avx2(const CodeBlocks& blocks, std::size_t block_count, const int8_t* codes,
                              const CodeQuery* queries, std::size_t query_count, const float* thresholds,
                              CodeSurvivor* survivors) {
  CodeSurvivor* out = survivors;
  for (std::size_t b = 0; b < block_count; ++b) {
    std::size_t q = 0;
    for (; q + 4 <= query_count; q += 4) out = block<4, 1>(blocks, b, codes, queries, q, thresholds, out);
    for (; q < query_count; ++q) out = block<1, 1>(blocks, b, codes, queries, q, thresholds, out);
  }
  return static_cast<std::size_t>(out - survivors);
}

std::size_t code_scan_two_planes_i8_avx2(const CodeBlocks& blocks, std::size_t block_count,
                                         const int8_t* codes, const CodeQuery* queries,
                                         std::size_t query_count, const float* thresholds,
                                         CodeSurvivor* survivors) {
  CodeSurvivor* out = survivors;
  for (std::size_t b = 0; b < block_count; ++b) {
    for (std::size_t q = 0; q < query_count; ++q)
      out = block<1, 2>(blocks, b, codes, queries, q, thresholds, out);
  }
  return static_cast<std::size_t>(out - survivors);
}

}  // namespace granule
