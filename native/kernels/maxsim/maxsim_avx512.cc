// Compiled for AVX-512 F/BW/DQ/VL; only intrinsics and functions of this file (see inner_product_avx512.cc).
#include "kernels/avx512_intrinsics.h"
#include "kernels/maxsim/maxsim.h"

namespace granule {

void maxsim_fold_f64_avx512(const double* similarities, std::size_t count, uint32_t first, float* best,
                            uint32_t* best_vector) {
  // A block of 16 is entered only where it holds something greater than the maximum so far; then its greatest
  // value and the first place of that value are what a walk through it would have kept.
  float maximum = *best;
  for (std::size_t j = 0; j < count; j += 16) {
    const std::size_t left = count - j < 16 ? count - j : 16;
    const __mmask16 present = static_cast<__mmask16>((1u << left) - 1u);
    const __m256 low =
        _mm512_cvtpd_ps(_mm512_maskz_loadu_pd(static_cast<__mmask8>(present), similarities + j));
    const __m256 high = _mm512_cvtpd_ps(
        _mm512_maskz_loadu_pd(static_cast<__mmask8>(present >> 8), similarities + j + (left > 8 ? 8 : 0)));
    const __m512 s = _mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1);
    if (_mm512_mask_cmp_ps_mask(present, s, _mm512_set1_ps(maximum), _CMP_GT_OQ) == 0) continue;
    const __m512 greatest = _mm512_set1_ps(_mm512_mask_reduce_max_ps(present, s));
    const __mmask16 equal = _mm512_mask_cmp_ps_mask(present, s, greatest, _CMP_EQ_OQ);
    const std::size_t at = j + _tzcnt_u32(equal);
    // From its place, not from the reduction, which may turn a -0 into the +0 that it equals.
    maximum = static_cast<float>(similarities[at]);
    *best_vector = first + static_cast<uint32_t>(at);
  }
  *best = maximum;
}

}  // namespace granule
