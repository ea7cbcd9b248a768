// Compiled for AVX2 and FMA; only intrinsics and functions of this file (see inner_product_avx2.cc).
#include <immintrin.h>

#include "kernels/maxsim/maxsim.h"

namespace granule {

void maxsim_fold_f64_avx2(const double* similarities, std::size_t count, uint32_t first, float* best,
                          uint32_t* best_vector) {
  float maximum = *best;
  uint32_t at = *best_vector;
  for (std::size_t j = 0; j < count; j += 4) {
    const std::size_t left = count - j;
    // A block of four is walked only where it holds something greater than the maximum so far.
    if (left >= 4) {
      const __m128 s = _mm256_cvtpd_ps(_mm256_loadu_pd(similarities + j));
      if (_mm_movemask_ps(_mm_cmpgt_ps(s, _mm_set1_ps(maximum))) == 0) continue;
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
