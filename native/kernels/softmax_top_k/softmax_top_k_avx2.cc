// Compiled for AVX2 and FMA; only intrinsics and functions of this file (see inner_product_avx2.cc).
#include <immintrin.h>

#include "core/canonical_exp.h"  // its constants only
#include "kernels/softmax_top_k/softmax_top_k.h"

namespace granule {
namespace {

/// Vectors of four lanes that are worked on in turns: one exponential is a chain of some thirty operations,
/// each of which waits for the one before.
constexpr int kTogether = 4;

/// exp((s - maximum) / temperature) of four scores per vector by canonical_exp, operation by operation.
template <int count>
inline void term_lanes(const float* scores, __m256d maximum, __m256d temperature, __m256d (&terms)[count]) {
  using E = CanonicalExp;
  const __m256d round = _mm256_set1_pd(E::kRound);
  __m256d x[count], n[count], r[count];
#pragma GCC unroll 4
  for (int v = 0; v < count; ++v) {
    const __m256d s = _mm256_cvtps_pd(_mm_loadu_ps(scores + 4 * v));
    x[v] = _mm256_div_pd(_mm256_sub_pd(s, maximum), temperature);
    n[v] = _mm256_sub_pd(_mm256_add_pd(_mm256_mul_pd(x[v], _mm256_set1_pd(E::kLog2E)), round), round);
    r[v] = _mm256_sub_pd(_mm256_sub_pd(x[v], _mm256_mul_pd(n[v], _mm256_set1_pd(E::kLn2High))),
                         _mm256_mul_pd(n[v], _mm256_set1_pd(E::kLn2Low)));
    terms[v] = _mm256_set1_pd(E::kCoefficients.at[E::kDegree]);
  }
#pragma GCC unroll 16
  for (int i = E::kDegree - 1; i >= 0; --i) {
#pragma GCC unroll 4
    for (int v = 0; v < count; ++v)
      terms[v] = _mm256_add_pd(_mm256_mul_pd(terms[v], r[v]), _mm256_set1_pd(E::kCoefficients.at[i]));
  }
#pragma GCC unroll 4
  for (int v = 0; v < count; ++v) {
    const __m256d in_range = _mm256_cmp_pd(x[v], _mm256_set1_pd(E::kLowest), _CMP_GE_OQ);
    const __m256i exponent =
        _mm256_add_epi64(_mm256_cvtepi32_epi64(_mm256_cvtpd_epi32(n[v])), _mm256_set1_epi64x(1023));
    const __m256d scale = _mm256_castsi256_pd(_mm256_slli_epi64(exponent, 52));
    terms[v] = _mm256_and_pd(in_range, _mm256_mul_pd(terms[v], scale));
  }
}

}  // namespace

double softmax_terms_f32_avx2(const float* scores, std::size_t count, double maximum, double temperature,
                              double* terms) {
  const __m256d m = _mm256_set1_pd(maximum);
  const __m256d t = _mm256_set1_pd(temperature);
  __m256d sums[2] = {_mm256_setzero_pd(), _mm256_setzero_pd()};
  std::size_t i = 0;
  for (; i + 4 * kTogether <= count; i += 4 * kTogether) {
    __m256d term[kTogether];
    term_lanes(scores + i, m, t, term);
#pragma GCC unroll 4
    for (int v = 0; v < kTogether; ++v) {
      if (terms != nullptr) _mm256_storeu_pd(terms + i + 4 * v, term[v]);
      sums[v % 2] = _mm256_add_pd(sums[v % 2], term[v]);
    }
  }
  double lane[8];
  _mm256_storeu_pd(lane, sums[0]);
  _mm256_storeu_pd(lane + 4, sums[1]);
  for (; i < count; i += 8) {
    float tail[8] = {};
    const std::size_t left = count - i < 8 ? count - i : 8;
    for (std::size_t l = 0; l < left; ++l) tail[l] = scores[i + l];
    __m256d term[2];
    term_lanes(tail, m, t, term);
    double tail_terms[8];
    _mm256_storeu_pd(tail_terms, term[0]);
    _mm256_storeu_pd(tail_terms + 4, term[1]);
    for (std::size_t l = 0; l < left; ++l) {
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
