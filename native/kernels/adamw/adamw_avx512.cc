// Compiled for AVX-512 F/BW/DQ/VL; only intrinsics and functions of this file (see inner_product_avx512.cc).
#include "kernels/adamw/adamw.h"
#include "kernels/avx512_intrinsics.h"

namespace granule {
namespace {

inline __m512d widened(__mmask8 present, const float* numbers) {
  return _mm512_cvtps_pd(_mm256_maskz_loadu_ps(present, numbers));
}

}  // namespace

void adamw_numbers_f32_avx512(const AdamWUpdate& update, const float* gradient, std::size_t count,
                              float* values, float* first, float* second) {
  const __m512d rate = _mm512_set1_pd(update.rate);
  const __m512d first_decay = _mm512_set1_pd(update.first_decay);
  const __m512d first_share = _mm512_set1_pd(1 - update.first_decay);
  const __m512d second_decay = _mm512_set1_pd(update.second_decay);
  const __m512d second_share = _mm512_set1_pd(1 - update.second_decay);
  const __m512d epsilon = _mm512_set1_pd(update.epsilon);
  const __m512d first_correction = _mm512_set1_pd(update.first_correction);
  const __m512d second_correction = _mm512_set1_pd(update.second_correction);
  const __m512d factor = _mm512_set1_pd(update.factor);
  const __m512d decay = _mm512_set1_pd(update.decay);
  for (std::size_t i = 0; i < count; i += 8) {
    const std::size_t left = count - i < 8 ? count - i : 8;
    const __mmask8 present = static_cast<__mmask8>((1u << left) - 1u);
    const __m512d g = _mm512_mul_pd(factor, widened(present, gradient + i));
    const __m256 m = _mm512_cvtpd_ps(_mm512_add_pd(_mm512_mul_pd(first_decay, widened(present, first + i)),
                                                   _mm512_mul_pd(first_share, g)));
    const __m256 v = _mm512_cvtpd_ps(_mm512_add_pd(_mm512_mul_pd(second_decay, widened(present, second + i)),
                                                   _mm512_mul_pd(second_share, _mm512_mul_pd(g, g))));
    _mm256_mask_storeu_ps(first + i, present, m);
    _mm256_mask_storeu_ps(second + i, present, v);
    const __m512d root = _mm512_sqrt_pd(_mm512_div_pd(_mm512_cvtps_pd(v), second_correction));
    const __m512d direction =
        _mm512_div_pd(_mm512_div_pd(_mm512_cvtps_pd(m), first_correction), _mm512_add_pd(root, epsilon));
    const __m512d x = widened(present, values + i);
    const __m512d way = _mm512_add_pd(direction, _mm512_mul_pd(decay, x));
    _mm256_mask_storeu_ps(values + i, present, _mm512_cvtpd_ps(_mm512_sub_pd(x, _mm512_mul_pd(rate, way))));
  }
}

}  // namespace granule
