// Compiled for AVX2 and FMA; only intrinsics and functions of this file (see inner_product_avx2.cc).
#include <immintrin.h>

#include "core/canonical_exp.h"  // its constants only
#include "kernels/softmax_top_k/softmax_top_k.h"

namespace granule {
namespace {

/// canonical_exp of four lanes, operation by operation.
inline __m256d exp_lanes(__m256d x) {
  using E = CanonicalExp;
  const __m256d round = _mm256_set1_pd(E::kRound);
  const __m256d in_range = _mm256_cmp_pd(x, _mm256_set1_pd(E::kLowest), _CMP_GE_OQ);
  const __m256d n = _mm256_sub_pd(_mm256_add_pd(_mm256_mul_pd(x, _mm256_set1_pd(E::kLog2E)), round), round);
  const __m256d r = _mm256_sub_pd(_mm256_sub_pd(x, _mm256_mul_pd(n, _mm256_set1_pd(E::kLn2High))),
                                  _mm256_mul_pd(n, _mm256_set1_pd(E::kLn2Low)));
  __m256d p = _mm256_set1_pd(E::kCoefficients.at[E::kDegree]);
  for (int i = E::kDegree - 1; i >= 0; --i) {
    p = _mm256_add_pd(_mm256_mul_pd(p, r), _mm256_set1_pd(E::kCoefficients.at[i]));
  }
  const __m256i exponent =
      _mm256_add_epi64(_mm256_cvtepi32_epi64(_mm256_cvtpd_epi32(n)), _mm256_set1_epi64x(1023));
  const __m256d scale = _mm256_castsi256_pd(_mm256_slli_epi64(exponent, 52));
  return _mm256_and_pd(in_range, _mm256_mul_pd(p, scale));
}

inline __m256d term_lanes(__m128 scores, __m256d maximum, __m256d temperature) {
  return exp_lanes(_mm256_div_pd(_mm256_sub_pd(_mm256_cvtps_pd(scores), maximum), temperature));
}

}  // namespace

double softmax_terms_f32_avx2(const float* scores, std::size_t count, double maximum, double temperature,
                              double* terms) {
  const __m256d m = _mm256_set1_pd(maximum);
  const __m256d t = _mm256_set1_pd(temperature);
  __m256d low = _mm256_setzero_pd();
  __m256d high = _mm256_setzero_pd();
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m256d a = term_lanes(_mm_loadu_ps(scores + i), m, t);
    const __m256d b = term_lanes(_mm_loadu_ps(scores + i + 4), m, t);
    if (terms != nullptr) {
      _mm256_storeu_pd(terms + i, a);
      _mm256_storeu_pd(terms + i + 4, b);
    }
    low = _mm256_add_pd(low, a);
    high = _mm256_add_pd(high, b);
  }
  double lane[8];
  _mm256_storeu_pd(lane, low);
  _mm256_storeu_pd(lane + 4, high);
  if (i < count) {
    float tail[8] = {};
    for (std::size_t l = 0; i + l < count; ++l) tail[l] = scores[i + l];
    double tail_terms[8];
    _mm256_storeu_pd(tail_terms, term_lanes(_mm_loadu_ps(tail), m, t));
    _mm256_storeu_pd(tail_terms + 4, term_lanes(_mm_loadu_ps(tail + 4), m, t));
    for (std::size_t l = 0; i + l < count; ++l) {
      lane[l] += tail_terms[l];
      if (terms != nullptr) terms[i + l] = tail_terms[l];
    }
  }
  return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

std::size_t softmax_select_f32_avx2(const float* scores, std::size_t count, float threshold,
                                    uint32_t* positions) {
  const __m256 limit = _mm256_set1_ps(threshold);
  std::size_t selected = 0;
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    int kept = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(scores + i), limit, _CMP_GE_OQ));
    for (int l = 0; kept != 0; kept >>= 1, ++l) {
      if ((kept & 1) != 0) positions[selected++] = static_cast<uint32_t>(i) + static_cast<uint32_t>(l);
    }
  }
  for (; i < count; ++i) {
    if (scores[i] >= threshold) positions[selected++] = static_cast<uint32_t>(i);
  }
  return selected;
}

}  // namespace granule
