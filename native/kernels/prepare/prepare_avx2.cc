// Compiled for AVX2 and FMA; only intrinsics and functions of this file (see inner_product_avx2.cc).
#include <immintrin.h>

#include "kernels/prepare/prepare.h"

namespace granule {
namespace {

constexpr std::size_t kWidth = 8;

/// All ones in the lanes of the first `left` of eight.
inline __m256i present(std::size_t left) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(left)),
                            _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/// Without their signs, finite numbers are below the infinity as integers too.
inline __m256i not_finite(__m256i bits) {
  return _mm256_cmpgt_epi32(_mm256_and_si256(bits, _mm256_set1_epi32(0x7fffffff)),
                            _mm256_set1_epi32(0x7f7fffff));
}

inline __m256d lower(__m256 values) { return _mm256_cvtps_pd(_mm256_castps256_ps128(values)); }
inline __m256d upper(__m256 values) { return _mm256_cvtps_pd(_mm256_extractf128_ps(values, 1)); }

inline __m256 divided(__m256 values, __m256d divisor) {
  return _mm256_set_m128(_mm256_cvtpd_ps(_mm256_div_pd(upper(values), divisor)),
                         _mm256_cvtpd_ps(_mm256_div_pd(lower(values), divisor)));
}

}  // namespace

bool copy_finite_f32_avx2(const float* in, std::size_t count, float* out) {
  __m256i any[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(),
                    _mm256_setzero_si256()};
  std::size_t i = 0;
  for (; i + 4 * kWidth <= count; i += 4 * kWidth) {
#pragma GCC unroll 4
    for (std::size_t j = 0; j < 4; ++j) {
      const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in + i + j * kWidth));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i + j * kWidth), bits);
      any[j] = _mm256_or_si256(any[j], not_finite(bits));
    }
  }
  for (; i < count; i += kWidth) {
    const __m256i lanes = present(count - i < kWidth ? count - i : kWidth);
    const __m256i bits = _mm256_maskload_epi32(reinterpret_cast<const int*>(in + i), lanes);
    _mm256_maskstore_epi32(reinterpret_cast<int*>(out + i), lanes, bits);
    any[0] = _mm256_or_si256(any[0], not_finite(bits));
  }
  const __m256i all = _mm256_or_si256(_mm256_or_si256(any[0], any[1]), _mm256_or_si256(any[2], any[3]));
  return _mm256_testz_si256(all, all) != 0;
}

double squared_norm_f32_avx2(const float* vector, std::size_t dimension) {
  __m256d lanes_0_to_3 = _mm256_setzero_pd();
  __m256d lanes_4_to_7 = _mm256_setzero_pd();
  for (std::size_t i = 0; i < dimension; i += kWidth) {
    // What lies behind the vector adds +0 to its lane, which changes none: no lane is ever -0.
    const __m256 values = i + kWidth <= dimension ? _mm256_loadu_ps(vector + i)
                                                  : _mm256_maskload_ps(vector + i, present(dimension - i));
    const __m256d low = lower(values);
    const __m256d high = upper(values);
    lanes_0_to_3 = _mm256_fmadd_pd(low, low, lanes_0_to_3);
    lanes_4_to_7 = _mm256_fmadd_pd(high, high, lanes_4_to_7);
  }
  double lane[8];
  _mm256_storeu_pd(lane, lanes_0_to_3);
  _mm256_storeu_pd(lane + 4, lanes_4_to_7);
  return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

void divide_f32_avx2(float* vector, std::size_t dimension, double divisor) {
  const __m256d by = _mm256_set1_pd(divisor);
  std::size_t i = 0;
  for (; i + kWidth <= dimension; i += kWidth)
    _mm256_storeu_ps(vector + i, divided(_mm256_loadu_ps(vector + i), by));
  if (i == dimension) return;
  const __m256i lanes = present(dimension - i);
  _mm256_maskstore_ps(vector + i, lanes, divided(_mm256_maskload_ps(vector + i, lanes), by));
}

void stream_copy_avx2(const void* in, std::size_t bytes, void* out) {
  const auto* from = static_cast<const char*>(in);
  auto* to = static_cast<char*>(out);
  std::size_t i = 0;
  for (; i + 64 <= bytes; i += 64) {
    const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i));
    const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i + 32));
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to + i), a);
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to + i + 32), b);
  }
  if (i < bytes) __builtin_memcpy(to + i, from + i, bytes - i);
  // Streamed stores may pass those that follow, such as the release of a lock.
  _mm_sfence();
}

}  // namespace granule
