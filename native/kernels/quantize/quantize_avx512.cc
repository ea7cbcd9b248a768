// Compiled for AVX-512 F/BW/DQ/VL; only intrinsics and functions of this file (see inner_product_avx512.cc).
#include "kernels/avx512_intrinsics.h"
#include "kernels/quantize/quantize.h"

namespace granule {
namespace {

constexpr std::size_t kBlockRows = 16;

inline __mmask16 present(std::size_t left) {
  return left >= 16 ? static_cast<__mmask16>(0xffff) : static_cast<__mmask16>((1u << left) - 1u);
}

inline float largest_magnitude(const float* x, std::size_t dimension) {
  __m512 largest = _mm512_setzero_ps();
  for (std::size_t i = 0; i < dimension; i += 16) {
    largest = _mm512_max_ps(largest, _mm512_abs_ps(_mm512_maskz_loadu_ps(present(dimension - i), x + i)));
  }
  return _mm512_reduce_max_ps(largest);
}

}  // namespace

bool quantize_block_f32_avx512(const float* rows, std::size_t dimension, uint8_t* codes, float* scales,
                               float* residual_norms, float* code_norms) {
  bool in_range = true;
  const std::size_t padded = (dimension + 3) / 4 * 4;
  for (std::size_t r = 0; r < kBlockRows; ++r) {
    const float* x = rows + r * dimension;
    const float scale = largest_magnitude(x, dimension) / 127.0f;
    const bool usable = scale_in_range(scale);
    in_range = in_range && usable;
    const __m512 inverse = _mm512_set1_ps(usable && scale > 0 ? 1.0f / scale : 0.0f);
    const __m512 scales_16 = _mm512_set1_ps(scale);
    const __m512 most = _mm512_set1_ps(127.0f);
    const __m512 least = _mm512_set1_ps(-127.0f);
    const __m512 round = _mm512_set1_ps(12582912.0f);
    __m512 squares = _mm512_setzero_ps();
    __m512i squared_codes = _mm512_setzero_si512();
    for (std::size_t i = 0; i < dimension; i += 16) {
      const __mmask16 mask = present(dimension - i);
      const __m512 value = _mm512_maskz_loadu_ps(mask, x + i);
      const __m512 clamped = _mm512_max_ps(_mm512_min_ps(_mm512_mul_ps(value, inverse), most), least);
      const __m512 rounded = _mm512_sub_ps(_mm512_add_ps(clamped, round), round);
      const __m512 difference = _mm512_sub_ps(value, _mm512_mul_ps(scales_16, rounded));
      squares = _mm512_add_ps(squares, _mm512_mul_ps(difference, difference));
      const __m512i code = _mm512_cvttps_epi32(rounded);
      squared_codes = _mm512_add_epi32(squared_codes, _mm512_mullo_epi32(code, code));
      const __m128i bytes = _mm512_cvtepi32_epi8(_mm512_add_epi32(code, _mm512_set1_epi32(128)));
      alignas(16) uint32_t words[4];
      _mm_store_si128(reinterpret_cast<__m128i*>(words), bytes);
      const std::size_t group = i / 4;
      const std::size_t count = (padded - i) / 4 < 4 ? (padded - i) / 4 : 4;
      for (std::size_t g = 0; g < count; ++g) {
        __builtin_memcpy(codes + ((group + g) * kBlockRows + r) * 4, &words[g], 4);
      }
    }
    float lanes[16];
    _mm512_storeu_ps(lanes, squares);
    scales[r] = scale;
    quantization_norms(scale, lanes, _mm512_reduce_add_epi32(squared_codes), dimension, &residual_norms[r],
                       &code_norms[r]);
  }
  return in_range;
}

}  // namespace granule
