// Compiled for AVX-512; only intrinsics and functions of this file (see inner_product_avx2.cc).
#include "kernels/avx512_intrinsics.h"
#include "kernels/matrix_product/matrix_product.h"

namespace granule {
namespace {

constexpr std::size_t kRows = kMatrixTileAvx512.rows;
constexpr std::size_t kColumns = kMatrixTileAvx512.columns;
constexpr std::size_t kLanes = 16;

/// Sixteen numbers of each of up to `count` of four vectors, transposed within quarters:
/// out[i] has, in quarter q, number 4 q + i of all four.
inline void transpose_quarters(const float* in, std::size_t stride, std::size_t count, __mmask16 numbers,
                               __m512 (&out)[4]) {
  __m512 row[4];
#pragma GCC unroll 4
  for (std::size_t l = 0; l < 4; ++l)
    row[l] = l < count ? _mm512_maskz_loadu_ps(numbers, in + l * stride) : _mm512_setzero_ps();
  const __m512 low01 = _mm512_unpacklo_ps(row[0], row[1]), high01 = _mm512_unpackhi_ps(row[0], row[1]);
  const __m512 low23 = _mm512_unpacklo_ps(row[2], row[3]), high23 = _mm512_unpackhi_ps(row[2], row[3]);
  out[0] = _mm512_shuffle_ps(low01, low23, 0x44);
  out[1] = _mm512_shuffle_ps(low01, low23, 0xee);
  out[2] = _mm512_shuffle_ps(high01, high23, 0x44);
  out[3] = _mm512_shuffle_ps(high01, high23, 0xee);
}

/// out[q] = quarter q of a, b, c and d, one behind the other.
inline void gather_quarters(__m512 a, __m512 b, __m512 c, __m512 d, __m512 (&out)[4]) {
  const __m512 ab_even = _mm512_shuffle_f32x4(a, b, 0x88), ab_odd = _mm512_shuffle_f32x4(a, b, 0xdd);
  const __m512 cd_even = _mm512_shuffle_f32x4(c, d, 0x88), cd_odd = _mm512_shuffle_f32x4(c, d, 0xdd);
  out[0] = _mm512_shuffle_f32x4(ab_even, cd_even, 0x88);
  out[1] = _mm512_shuffle_f32x4(ab_odd, cd_odd, 0x88);
  out[2] = _mm512_shuffle_f32x4(ab_even, cd_even, 0xdd);
  out[3] = _mm512_shuffle_f32x4(ab_odd, cd_odd, 0xdd);
}

/// Those of `count` vectors that lie from the l-th on.
inline std::size_t left_from(std::size_t l, std::size_t count) { return count > l ? count - l : 0; }

/// Up to sixteen numbers of up to eight vectors, into a panel that is eight wide.
inline void pack_eight(const float* in, std::size_t stride, std::size_t count, std::size_t depth,
                       float* out) {
  const __mmask16 numbers = static_cast<__mmask16>((1u << depth) - 1u);
  __m512 first[4], second[4];
  transpose_quarters(in, stride, count, numbers, first);
  transpose_quarters(in + 4 * stride, stride, left_from(4, count), numbers, second);
#pragma GCC unroll 2
  for (std::size_t i = 0; i < 4; i += 2) {
    __m512 pairs[4];
    gather_quarters(first[i], second[i], first[i + 1], second[i + 1], pairs);
#pragma GCC unroll 4
    for (std::size_t q = 0; q < 4; ++q) {
      const std::size_t k = 4 * q + i;
      const __mmask16 present = k + 1 < depth ? 0xffff : k < depth ? 0xff : 0;
      _mm512_mask_storeu_ps(out + k * 8, present, pairs[q]);
    }
  }
}

/// Up to sixteen numbers of up to sixteen vectors, into sixteen columns of a panel that is `width` wide.
inline void pack_sixteen(const float* in, std::size_t stride, std::size_t count, std::size_t depth,
                         std::size_t width, float* out) {
  const __mmask16 numbers = static_cast<__mmask16>((1u << depth) - 1u);
  __m512 part[4][4];
#pragma GCC unroll 4
  for (std::size_t p = 0; p < 4; ++p)
    transpose_quarters(in + 4 * p * stride, stride, left_from(4 * p, count), numbers, part[p]);
#pragma GCC unroll 4
  for (std::size_t i = 0; i < 4; ++i) {
    __m512 rows[4];
    gather_quarters(part[0][i], part[1][i], part[2][i], part[3][i], rows);
#pragma GCC unroll 4
    for (std::size_t q = 0; q < 4; ++q) {
      if (4 * q + i < depth) _mm512_storeu_ps(out + (4 * q + i) * width, rows[q]);
    }
  }
}

}  // namespace

void pack_panel_f32_avx512(const float* in, std::size_t stride, std::size_t count, std::size_t depth,
                           std::size_t width, float* out) {
  static_assert(kRows == 8 && kColumns % 16 == 0);
  for (std::size_t k = 0; k < depth; k += 16) {
    const std::size_t numbers = depth - k < 16 ? depth - k : 16;
    if (width == kRows) {
      pack_eight(in + k, stride, count, numbers, out + k * width);
      continue;
    }
    for (std::size_t l = 0; l < width; l += 16) {
      pack_sixteen(in + l * stride + k, stride, left_from(l, count), numbers, width, out + k * width + l);
    }
  }
}

void matrix_tile_f32_avx512(const float* a, const float* b, std::size_t depth, float* c, std::size_t stride,
                            bool accumulate) {
  __m512 sum[kRows][2];
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kRows; ++i) {
    sum[i][0] = accumulate ? _mm512_loadu_ps(c + i * stride) : _mm512_setzero_ps();
    sum[i][1] = accumulate ? _mm512_loadu_ps(c + i * stride + kLanes) : _mm512_setzero_ps();
  }
  for (std::size_t k = 0; k < depth; ++k) {
    const __m512 b0 = _mm512_loadu_ps(b + k * kColumns);
    const __m512 b1 = _mm512_loadu_ps(b + k * kColumns + kLanes);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kRows; ++i) {
      const __m512 factor = _mm512_set1_ps(a[k * kRows + i]);
      sum[i][0] = _mm512_fmadd_ps(factor, b0, sum[i][0]);
      sum[i][1] = _mm512_fmadd_ps(factor, b1, sum[i][1]);
    }
  }
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kRows; ++i) {
    _mm512_storeu_ps(c + i * stride, sum[i][0]);
    _mm512_storeu_ps(c + i * stride + kLanes, sum[i][1]);
  }
}

}  // namespace granule
