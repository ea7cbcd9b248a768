// Compiled for AVX-512 F/BW/DQ/VL; only intrinsics and functions of this file (see inner_product_avx512.cc).
#include "core/canonical_exp.h"  // its constants only
#include "kernels/avx512_intrinsics.h"
#include "kernels/softmax_top_k/softmax_top_k.h"

namespace granule {
namespace {

/// Vectors of eight lanes that are worked on in turns: one exponential is a chain of some thirty operations,
/// each of which waits for the one before.
constexpr int kTogether = 6;

/// canonical_exp of eight lanes of each vector, operation by operation.
template <int count>
inline void exp_lanes(__m512d (&x)[count]) {
  using E = CanonicalExp;
  const __m512d round = _mm512_set1_pd(E::kRound);
  __m512d n[count], r[count], p[count];
#pragma GCC unroll 6
  for (int v = 0; v < count; ++v) {
    n[v] = _mm512_sub_pd(_mm512_add_pd(_mm512_mul_pd(x[v], _mm512_set1_pd(E::kLog2E)), round), round);
    r[v] = _mm512_sub_pd(_mm512_sub_pd(x[v], _mm512_mul_pd(n[v], _mm512_set1_pd(E::kLn2High))),
                         _mm512_mul_pd(n[v], _mm512_set1_pd(E::kLn2Low)));
    p[v] = _mm512_set1_pd(E::kCoefficients.at[E::kDegree]);
  }
#pragma GCC unroll 16
  for (int i = E::kDegree - 1; i >= 0; --i) {
#pragma GCC unroll 6
    for (int v = 0; v < count; ++v)
      p[v] = _mm512_add_pd(_mm512_mul_pd(p[v], r[v]), _mm512_set1_pd(E::kCoefficients.at[i]));
  }
#pragma GCC unroll 6
  for (int v = 0; v < count; ++v) {
    const __mmask8 in_range = _mm512_cmp_pd_mask(x[v], _mm512_set1_pd(E::kLowest), _CMP_GE_OQ);
    const __m512i exponent = _mm512_add_epi64(_mm512_cvtpd_epi64(n[v]), _mm512_set1_epi64(1023));
    x[v] = _mm512_maskz_mul_pd(in_range, p[v], _mm512_castsi512_pd(_mm512_slli_epi64(exponent, 52)));
  }
}

}  // namespace

double softmax_terms_f32_avx512(const float* scores, std::size_t count, double maximum, double temperature,
                                double* terms) {
  const __m512d m = _mm512_set1_pd(maximum);
  const __m512d t = _mm512_set1_pd(temperature);
  __m512d sum = _mm512_setzero_pd();
  std::size_t i = 0;
  for (; i + 8 * kTogether <= count; i += 8 * kTogether) {
    __m512d term[kTogether];
#pragma GCC unroll 6
    for (int v = 0; v < kTogether; ++v)
      term[v] = _mm512_div_pd(_mm512_sub_pd(_mm512_cvtps_pd(_mm256_loadu_ps(scores + i + 8 * v)), m), t);
    exp_lanes(term);
#pragma GCC unroll 6
    for (int v = 0; v < kTogether; ++v) {
      if (terms != nullptr) _mm512_storeu_pd(terms + i + 8 * v, term[v]);
      sum = _mm512_add_pd(sum, term[v]);
    }
  }
  for (; i < count; i += 8) {
    const std::size_t left = count - i < 8 ? count - i : 8;
    const __mmask8 present = static_cast<__mmask8>((1u << left) - 1u);
    const __m512d s = _mm512_cvtps_pd(_mm256_maskz_loadu_ps(present, scores + i));
    __m512d term[1] = {_mm512_div_pd(_mm512_sub_pd(s, m), t)};
    exp_lanes(term);
    if (terms != nullptr) _mm512_mask_storeu_pd(terms + i, present, term[0]);
    sum = _mm512_add_pd(sum, _mm512_maskz_mov_pd(present, term[0]));
  }
  double lane[8];
  _mm512_storeu_pd(lane, sum);
  return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

std::size_t softmax_select_f32_avx512(const float* scores, std::size_t count, float threshold,
                                      uint32_t* positions) {
  const __m512 limit = _mm512_set1_ps(threshold);
  std::size_t selected = 0;
  for (std::size_t i = 0; i < count; i += 16) {
    const std::size_t left = count - i < 16 ? count - i : 16;
    const __mmask16 present = static_cast<__mmask16>((1u << left) - 1u);
    uint32_t kept =
        _mm512_mask_cmp_ps_mask(present, _mm512_maskz_loadu_ps(present, scores + i), limit, _CMP_GE_OQ);
    for (; kept != 0; kept &= kept - 1) positions[selected++] = static_cast<uint32_t>(i) + _tzcnt_u32(kept);
  }
  return selected;
}

}  // namespace granule
