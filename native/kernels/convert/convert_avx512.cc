// Compiled for AVX-512 F/BW/DQ/VL; only intrinsics and functions of this file (see inner_product_avx512.cc).
#include "kernels/avx512_intrinsics.h"
#include "kernels/convert/convert.h"

namespace granule {
namespace {

constexpr std::size_t kWidth = 16;

inline __mmask16 present(std::size_t left) {
  return left >= kWidth ? static_cast<__mmask16>(0xffff) : static_cast<__mmask16>((1u << left) - 1u);
}

inline __m512 widened_f16(__m256i halves) { return _mm512_cvtph_ps(halves); }

inline __m512 widened_bf16(__m256i halves) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
}

inline __m256i narrowed_f16(__m512 values) {
  return _mm512_cvtps_ph(values, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

/// In integers: the processor's own conversion, where there is one, makes zeros of denormals.
inline __m256i narrowed_bf16(__m512 values) {
  const __m512i bits = _mm512_castps_si512(values);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
  return _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16));
}

template <__m512 (*Convert)(__m256i)>
inline void widen(const uint16_t* in, std::size_t count, float* out) {
  for (std::size_t i = 0; i < count; i += kWidth) {
    const __mmask16 mask = present(count - i);
    _mm512_mask_storeu_ps(out + i, mask, Convert(_mm256_maskz_loadu_epi16(mask, in + i)));
  }
}

template <__m256i (*Convert)(__m512)>
inline void narrow(const float* in, std::size_t count, uint16_t* out) {
  for (std::size_t i = 0; i < count; i += kWidth) {
    const __mmask16 mask = present(count - i);
    _mm256_mask_storeu_epi16(out + i, mask, Convert(_mm512_maskz_loadu_ps(mask, in + i)));
  }
}

}  // namespace

void widen_f16_avx512(const uint16_t* in, std::size_t count, float* out) {
  widen<widened_f16>(in, count, out);
}

void widen_bf16_avx512(const uint16_t* in, std::size_t count, float* out) {
  widen<widened_bf16>(in, count, out);
}

void narrow_f16_avx512(const float* in, std::size_t count, uint16_t* out) {
  narrow<narrowed_f16>(in, count, out);
}

void narrow_bf16_avx512(const float* in, std::size_t count, uint16_t* out) {
  narrow<narrowed_bf16>(in, count, out);
}

}  // namespace granule
