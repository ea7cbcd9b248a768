#include <arm_neon.h>

#include "kernels/maxsim/maxsim.h"

namespace granule {

void maxsim_fold_f64_neon(const double* similarities, std::size_t count, uint32_t first, float* best,
                          uint32_t* best_vector) {
  float maximum = *best;
  uint32_t at = *best_vector;
  for (std::size_t j = 0; j < count; j += 4) {
    const std::size_t left = count - j;
    // A block of four is walked only where it holds something greater than the maximum so far.
    if (left >= 4) {
      const float32x4_t s =
          vcvt_high_f32_f64(vcvt_f32_f64(vld1q_f64(similarities + j)), vld1q_f64(similarities + j + 2));
      if (vmaxvq_u32(vcgtq_f32(s, vdupq_n_f32(maximum))) == 0) continue;
    }
    for (std::size_t i = j; i < j + (left < 4 ? left : 4); ++i) {
      const float s = static_cast<float>(similarities[i]);
      if (s > maximum) {
        maximum = s;
        at = first + static_cast<uint32_t>(i);
      }
    }
  }
  *best = maximum;
  *best_vector = at;
}

}  // namespace granule
