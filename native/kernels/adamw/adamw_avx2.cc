// Compiled for AVX2 and FMA; only intrinsics and functions of this file (see inner_product_avx2.cc).
#include <immintrin.h>

#include "kernels/adamw/adamw.h"

namespace granule {
namespace {

constexpr std::size_t kWidth = 4;

inline __m256d widened(const float* numbers) { return _mm256_cvtps_pd(_mm_loadu_ps(numbers)); }

/// Four numbers of each.
inline void update_lanes(const AdamWUpdate& update, const float* gradient, float* values, float* first,
                         float* second) {
  const auto all = [](double x) { return _mm256_set1_pd(x); };
  const __m256d g = _mm256_mul_pd(all(update.factor), widened(gradient));
  const __m128 m = _mm256_cvtpd_ps(_mm256_add_pd(_mm256_mul_pd(all(update.first_decay), widened(first)),
                                                 _mm256_mul_pd(all(1 - update.first_decay), g)));
  const __m128 v =
      _mm256_cvtpd_ps(_mm256_add_pd(_mm256_mul_pd(all(update.second_decay), widened(second)),
                                    _mm256_mul_pd(all(1 - update.second_decay), _mm256_mul_pd(g, g))));
  _mm_storeu_ps(first, m);
  _mm_storeu_ps(second, v);
  const __m256d root = _mm256_sqrt_pd(_mm256_div_pd(_mm256_cvtps_pd(v), all(update.second_correction)));
  const __m256d direction = _mm256_div_pd(_mm256_div_pd(_mm256_cvtps_pd(m), all(update.first_correction)),
                                          _mm256_add_pd(root, all(update.epsilon)));
  const __m256d x = widened(values);
  const __m256d way = _mm256_add_pd(direction, _mm256_mul_pd(all(update.decay), x));
  _mm_storeu_ps(values, _mm256_cvtpd_ps(_mm256_sub_pd(x, _mm256_mul_pd(all(update.rate), way))));
}

}  // namespace

void adamw_numbers_f32_avx2(const AdamWUpdate& update, const float* gradient, std::size_t count,
                            float* values, float* first, float* second) {
  std::size_t i = 0;
  for (; i + kWidth <= count; i += kWidth)
    update_lanes(update, gradient + i, values + i, first + i, second + i);
  if (i == count) return;
  // The last ones, beside numbers that nobody reads.
  const std::size_t bytes = (count - i) * sizeof(float);
  float g[kWidth] = {}, x[kWidth] = {}, m[kWidth] = {}, v[kWidth] = {};
  __builtin_memcpy(g, gradient + i, bytes);
  __builtin_memcpy(x, values + i, bytes);
  __builtin_memcpy(m, first + i, bytes);
  __builtin_memcpy(v, second + i, bytes);
  update_lanes(update, g, x, m, v);
  __builtin_memcpy(values + i, x, bytes);
  __builtin_memcpy(first + i, m, bytes);
  __builtin_memcpy(second + i, v, bytes);
}

}  // namespace granule
