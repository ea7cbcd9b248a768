// Compiled for AVX2 and F16C; only intrinsics and functions of this file (see inner_product_avx2.cc).
#include <immintrin.h>

#include "kernels/convert/convert.h"

namespace granule {
namespace {

constexpr std::size_t kWidth = 8;

inline __m256 widened_f16(__m128i halves) { return _mm256_cvtph_ps(halves); }

inline __m256 widened_bf16(__m128i halves) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
}

inline __m128i narrowed_f16(__m256 values) {
  return _mm256_cvtps_ph(values, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

/// In integers: the processor's own conversion, where there is one, makes zeros of denormals.
inline __m128i narrowed_bf16(__m256 values) {
  const __m256i bits = _mm256_castps_si256(values);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
  const __m256i halves = _mm256_srli_epi32(rounded, 16);
  return _mm_packus_epi32(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1));
}

template <__m256 (*Convert)(__m128i)>
inline void widen(const uint16_t* in, std::size_t count, float* out) {
  std::size_t i = 0;
  for (; i + kWidth <= count; i += kWidth) {
    _mm256_storeu_ps(out + i, Convert(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i))));
  }
  if (i == count) return;
  uint16_t halves[kWidth] = {};
  float values[kWidth];
  __builtin_memcpy(halves, in + i, (count - i) * sizeof *in);
  _mm256_storeu_ps(values, Convert(_mm_loadu_si128(reinterpret_cast<const __m128i*>(halves))));
  __builtin_memcpy(out + i, values, (count - i) * sizeof *out);
}

template <__m128i (*Convert)(__m256)>
inline void narrow(const float* in, std::size_t count, uint16_t* out) {
  std::size_t i = 0;
  for (; i + kWidth <= count; i += kWidth) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), Convert(_mm256_loadu_ps(in + i)));
  }
  if (i == count) return;
  float values[kWidth] = {};
  uint16_t halves[kWidth];
  __builtin_memcpy(values, in + i, (count - i) * sizeof *in);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(halves), Convert(_mm256_loadu_ps(values)));
  __builtin_memcpy(out + i, halves, (count - i) * sizeof *out);
}

}  // namespace

void widen_f16_avx2(const uint16_t* in, std::size_t count, float* out) { widen<widened_f16>(in, count, out); }

void widen_bf16_avx2(const uint16_t* in, std::size_t count, float* out) {
  widen<widened_bf16>(in, count, out);
}

void narrow_f16_avx2(const float* in, std::size_t count, uint16_t* out) {
  narrow<narrowed_f16>(in, count, out);
}

void narrow_bf16_avx2(const float* in, std::size_t count, uint16_t* out) {
  narrow<narrowed_bf16>(in, count, out);
}

}  // namespace granule
