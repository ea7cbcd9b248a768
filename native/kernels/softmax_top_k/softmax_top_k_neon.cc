#include <arm_neon.h>

#include "core/canonical_exp.h"  // its constants only
#include "kernels/softmax_top_k/softmax_top_k.h"

namespace granule {
namespace {

/// canonical_exp of two lanes, operation by operation.
inline float64x2_t exp_lanes(float64x2_t x) {
  using E = CanonicalExp;
  const float64x2_t round = vdupq_n_f64(E::kRound);
  const uint64x2_t in_range = vcgeq_f64(x, vdupq_n_f64(E::kLowest));
  const float64x2_t n = vsubq_f64(vaddq_f64(vmulq_f64(x, vdupq_n_f64(E::kLog2E)), round), round);
  const float64x2_t r =
      vsubq_f64(vsubq_f64(x, vmulq_f64(n, vdupq_n_f64(E::kLn2High))), vmulq_f64(n, vdupq_n_f64(E::kLn2Low)));
  float64x2_t p = vdupq_n_f64(E::kCoefficients.at[E::kDegree]);
  for (int i = E::kDegree - 1; i >= 0; --i)
    p = vaddq_f64(vmulq_f64(p, r), vdupq_n_f64(E::kCoefficients.at[i]));
  const int64x2_t exponent = vaddq_s64(vcvtq_s64_f64(n), vdupq_n_s64(1023));
  const float64x2_t scale = vreinterpretq_f64_s64(vshlq_n_s64(exponent, 52));
  return vreinterpretq_f64_u64(vandq_u64(in_range, vreinterpretq_u64_f64(vmulq_f64(p, scale))));
}

}  // namespace

double softmax_terms_f32_neon(const float* scores, std::size_t count, double maximum, double temperature,
                              double* terms) {
  const float64x2_t m = vdupq_n_f64(maximum);
  const float64x2_t t = vdupq_n_f64(temperature);
  double lane[8] = {};
  for (std::size_t i = 0; i < count; i += 8) {
    const std::size_t left = count - i < 8 ? count - i : 8;
    float block[8] = {};
    for (std::size_t l = 0; l < left; ++l) block[l] = scores[i + l];
    double block_terms[8];
    for (int l = 0; l < 8; l += 2) {
      const float64x2_t s = vcvt_f64_f32(vld1_f32(block + l));
      vst1q_f64(block_terms + l, exp_lanes(vdivq_f64(vsubq_f64(s, m), t)));
    }
    for (std::size_t l = 0; l < left; ++l) {
      lane[l] += block_terms[l];
      if (terms != nullptr) terms[i + l] = block_terms[l];
    }
  }
  return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

std::size_t softmax_select_f32_neon(const float* scores, std::size_t count, float threshold,
                                    uint32_t* positions) {
  const float32x4_t limit = vdupq_n_f32(threshold);
  std::size_t selected = 0;
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    if (vmaxvq_u32(vcgeq_f32(vld1q_f32(scores + i), limit)) == 0) continue;
    for (std::size_t l = i; l < i + 4; ++l) {
      if (scores[l] >= threshold) positions[selected++] = static_cast<uint32_t>(l);
    }
  }
  for (; i < count; ++i) {
    if (scores[i] >= threshold) positions[selected++] = static_cast<uint32_t>(i);
  }
  return selected;
}

}  // namespace granule
