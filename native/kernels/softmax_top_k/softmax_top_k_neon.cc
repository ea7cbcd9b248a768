#include <arm_neon.h>

#include "core/canonical_exp.h"  // its constants only
#include "kernels/softmax_top_k/softmax_top_k.h"

namespace granule {
namespace {

/// Vectors of two lanes that are worked on in turns: one exponential is a chain of some thirty operations,
/// each of which waits for the one before.
constexpr int kTogether = 4;

/// exp((s - maximum) / temperature) of eight scores by canonical_exp, operation by operation.
inline void term_lanes(const float* scores, float64x2_t maximum, float64x2_t temperature, double* terms) {
  using E = CanonicalExp;
  const float64x2_t round = vdupq_n_f64(E::kRound);
  float64x2_t x[kTogether], n[kTogether], r[kTogether], p[kTogether];
#pragma GCC unroll 4
  for (int v = 0; v < kTogether; ++v) {
    x[v] = vdivq_f64(vsubq_f64(vcvt_f64_f32(vld1_f32(scores + 2 * v)), maximum), temperature);
    n[v] = vsubq_f64(vaddq_f64(vmulq_f64(x[v], vdupq_n_f64(E::kLog2E)), round), round);
    r[v] = vsubq_f64(vsubq_f64(x[v], vmulq_f64(n[v], vdupq_n_f64(E::kLn2High))),
                     vmulq_f64(n[v], vdupq_n_f64(E::kLn2Low)));
    p[v] = vdupq_n_f64(E::kCoefficients.at[E::kDegree]);
  }
#pragma GCC unroll 16
  for (int i = E::kDegree - 1; i >= 0; --i) {
#pragma GCC unroll 4
    for (int v = 0; v < kTogether; ++v)
      p[v] = vaddq_f64(vmulq_f64(p[v], r[v]), vdupq_n_f64(E::kCoefficients.at[i]));
  }
#pragma GCC unroll 4
  for (int v = 0; v < kTogether; ++v) {
    const uint64x2_t in_range = vcgeq_f64(x[v], vdupq_n_f64(E::kLowest));
    const int64x2_t exponent = vaddq_s64(vcvtq_s64_f64(n[v]), vdupq_n_s64(1023));
    const float64x2_t scale = vreinterpretq_f64_s64(vshlq_n_s64(exponent, 52));
    const uint64x2_t term = vreinterpretq_u64_f64(vmulq_f64(p[v], scale));
    vst1q_f64(terms + 2 * v, vreinterpretq_f64_u64(vandq_u64(in_range, term)));
  }
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
    term_lanes(block, m, t, block_terms);
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
