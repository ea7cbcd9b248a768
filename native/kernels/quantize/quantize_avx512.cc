// Compiled for AVX-512 F/BW/DQ/VL; only intrinsics and functions of this file (see inner_product_avx512.cc).
#include "kernels/avx512_intrinsics.h"
#include "kernels/quantize/quantize.h"

namespace granule {
namespace {

constexpr std::size_t kBlockRows = 16;

inline __mmask16 present(std::size_t left) {
  return left >= 16 ? static_cast<__mmask16>(0xffff) : static_cast<__mmask16>((1u << left) - 1u);
}

inline __m512 larger_magnitude(__m512 largest, __m512 value) {
  return _mm512_max_ps(largest, _mm512_abs_ps(value));
}

inline float largest_magnitude(const float* x, std::size_t dimension) {
  __m512 largest[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
  std::size_t i = 0;
  for (; i + 64 <= dimension; i += 64) {
#pragma GCC unroll 4
    for (std::size_t j = 0; j < 4; ++j)
      largest[j] = larger_magnitude(largest[j], _mm512_loadu_ps(x + i + 16 * j));
  }
  for (; i < dimension; i += 16)
    largest[0] = larger_magnitude(largest[0], _mm512_maskz_loadu_ps(present(dimension - i), x + i));
  return _mm512_reduce_max_ps(
      _mm512_max_ps(_mm512_max_ps(largest[0], largest[1]), _mm512_max_ps(largest[2], largest[3])));
}

/// Sums over a row, in sixteen lanes: lane l has elements l, l + 16, ...
struct RowSums {
  /// Of squared differences, in the order of the elements.
  __m512 squares;
  /// Of squared codes: integers below 2^24, exact in float32. They go into `squared_codes` before they reach
  /// that.
  __m512 recent_codes;
  __m512i squared_codes;
};

/// Sixteen codes. The scaled values are at most 127 (1 + 2^-22) in magnitude, so they need no clamp.
inline __m512i quantize_16(__m512 value, __m512 scale, __m512 inverse, RowSums& sums) {
  const __m512i code = _mm512_cvtps_epi32(_mm512_mul_ps(value, inverse));
  const __m512 rounded = _mm512_cvtepi32_ps(code);
  const __m512 difference = _mm512_sub_ps(value, _mm512_mul_ps(scale, rounded));
  sums.squares = _mm512_add_ps(sums.squares, _mm512_mul_ps(difference, difference));
  sums.recent_codes = _mm512_fmadd_ps(rounded, rounded, sums.recent_codes);
  return code;
}

inline void settle(RowSums& sums) {
  sums.squared_codes = _mm512_add_epi32(sums.squared_codes, _mm512_cvtps_epi32(sums.recent_codes));
  sums.recent_codes = _mm512_setzero_ps();
}

/// The smallest float32 that is surely not below a float64 that carries a few rounding errors, of eight.
inline __m256 round_up(__m512d value) {
  const __m512d guarded = _mm512_mul_pd(value, _mm512_set1_pd(1.0 + 1e-12));
  const __m256 nearest = _mm512_cvtpd_ps(guarded);
  const __mmask8 below = _mm512_cmp_pd_mask(_mm512_cvtps_pd(nearest), guarded, _CMP_LT_OQ);
  // The next float32 of one that is not negative.
  const __m256i bits = _mm256_castps_si256(nearest);
  return _mm256_castsi256_ps(_mm256_mask_add_epi32(bits, below, bits, _mm256_set1_epi32(1)));
}

/// quantization_norms of eight rows at once: the same operations in the same order.
inline void norms_of_8(const float* scales, const float (*lanes)[16], const int32_t* squared_codes,
                       std::size_t dimension, float* residual_norms, float* code_norms) {
  const auto d = static_cast<double>(dimension);
  const __m256i line = _mm256_mullo_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(16));
  __m512d squares = _mm512_setzero_pd();
  for (int l = 0; l < 16; ++l)
    squares = _mm512_add_pd(squares, _mm512_cvtps_pd(_mm256_i32gather_ps(&lanes[0][l], line, 4)));
  const __m512d scale = _mm512_cvtps_pd(_mm256_loadu_ps(scales));
  const __m512d summed = _mm512_sqrt_pd(_mm512_mul_pd(squares, _mm512_set1_pd(1.0 + (d / 16 + 4) * 0x1p-23)));
  const __m512d root = _mm512_add_pd(_mm512_sqrt_pd(_mm512_set1_pd(d)), _mm512_set1_pd(1.0));
  const __m512d slack = _mm512_mul_pd(_mm512_mul_pd(scale, _mm512_set1_pd(0x1p-16)), root);
  _mm256_storeu_ps(residual_norms, round_up(_mm512_add_pd(summed, slack)));
  const __m512d codes =
      _mm512_sqrt_pd(_mm512_cvtepi32_pd(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(squared_codes))));
  _mm256_storeu_ps(code_norms, round_up(_mm512_mul_pd(scale, codes)));
}

}  // namespace

bool quantize_block_f32_avx512(const float* rows, std::size_t dimension, uint8_t* codes, float* scales,
                               float* residual_norms, float* code_norms) {
  // Squares of codes, at most 16,129, that a float32 lane adds up exactly.
  constexpr std::size_t kExactSteps = 1024;
  const std::size_t padded = (dimension + 3) / 4 * 4;
  const __m512i sign_bit = _mm512_set1_epi8(-128);
  // Packing 32-bit lanes to bytes leaves the four codes of a group apart: this is where they go.
  const __m512i in_order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  bool in_range = true;
  float lanes[kBlockRows][16];
  int32_t squared_codes[kBlockRows];
  for (std::size_t r = 0; r < kBlockRows; ++r) {
    const float* x = rows + r * dimension;
    const float scale = largest_magnitude(x, dimension) / 127.0f;
    const bool usable = scale_in_range(scale);
    in_range = in_range && usable;
    const __m512 inverse = _mm512_set1_ps(usable && scale > 0 ? 1.0f / scale : 0.0f);
    const __m512 scale_16 = _mm512_set1_ps(scale);
    RowSums sums{_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_si512()};
    uint8_t* out = codes + r * 4;
    alignas(64) uint32_t words[16];
    std::size_t i = 0;
    for (; i + 64 <= dimension; i += 64) {
      const __m512i a = quantize_16(_mm512_loadu_ps(x + i), scale_16, inverse, sums);
      const __m512i b = quantize_16(_mm512_loadu_ps(x + i + 16), scale_16, inverse, sums);
      const __m512i c = quantize_16(_mm512_loadu_ps(x + i + 32), scale_16, inverse, sums);
      const __m512i d = quantize_16(_mm512_loadu_ps(x + i + 48), scale_16, inverse, sums);
      const __m512i packed = _mm512_packs_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d));
      _mm512_store_si512(words, _mm512_permutexvar_epi32(in_order, _mm512_xor_si512(packed, sign_bit)));
#pragma GCC unroll 16
      for (std::size_t g = 0; g < 16; ++g) __builtin_memcpy(out + g * kBlockRows * 4, &words[g], 4);
      out += 16 * kBlockRows * 4;
      if (i / 64 % (kExactSteps / 4) == kExactSteps / 4 - 1) settle(sums);
    }
    settle(sums);
    for (; i < dimension; i += 16) {
      const __m512 value = _mm512_maskz_loadu_ps(present(dimension - i), x + i);
      const __m512i code = quantize_16(value, scale_16, inverse, sums);
      const __m128i bytes = _mm512_cvtepi32_epi8(_mm512_add_epi32(code, _mm512_set1_epi32(128)));
      _mm_store_si128(reinterpret_cast<__m128i*>(words), bytes);
      const std::size_t groups = (padded - i) / 4 < 4 ? (padded - i) / 4 : 4;
      for (std::size_t g = 0; g < groups; ++g) __builtin_memcpy(out + g * kBlockRows * 4, &words[g], 4);
      out += 4 * kBlockRows * 4;
    }
    settle(sums);
    _mm512_storeu_ps(lanes[r], sums.squares);
    squared_codes[r] = _mm512_reduce_add_epi32(sums.squared_codes);
    scales[r] = scale;
  }
  for (std::size_t r = 0; r < kBlockRows; r += 8) {
    norms_of_8(scales + r, lanes + r, squared_codes + r, dimension, residual_norms + r, code_norms + r);
  }
  return in_range;
}

}  // namespace granule
