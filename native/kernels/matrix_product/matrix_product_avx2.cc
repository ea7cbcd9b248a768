// Compiled for AVX2 and FMA; only intrinsics and functions of this file (see inner_product_avx2.cc).
#include <immintrin.h>

#include "kernels/matrix_product/matrix_product.h"

namespace granule {
namespace {

constexpr std::size_t kRows = kMatrixTileAvx2.rows;
constexpr std::size_t kColumns = kMatrixTileAvx2.columns;
constexpr std::size_t kLanes = 8;

/// out[k * width + l] = in[l * stride + k] for eight k and eight l.
inline void transpose_eight(const float* in, std::size_t stride, std::size_t width, float* out) {
  __m256 row[8];
#pragma GCC unroll 8
  for (std::size_t l = 0; l < 8; ++l) row[l] = _mm256_loadu_ps(in + l * stride);
  __m256 pair[8];
#pragma GCC unroll 4
  for (std::size_t l = 0; l < 8; l += 2) {
    pair[l] = _mm256_unpacklo_ps(row[l], row[l + 1]);
    pair[l + 1] = _mm256_unpackhi_ps(row[l], row[l + 1]);
  }
  __m256 four[8];
#pragma GCC unroll 2
  for (std::size_t l = 0; l < 8; l += 4) {
    four[l] = _mm256_shuffle_ps(pair[l], pair[l + 2], 0x44);
    four[l + 1] = _mm256_shuffle_ps(pair[l], pair[l + 2], 0xee);
    four[l + 2] = _mm256_shuffle_ps(pair[l + 1], pair[l + 3], 0x44);
    four[l + 3] = _mm256_shuffle_ps(pair[l + 1], pair[l + 3], 0xee);
  }
#pragma GCC unroll 4
  for (std::size_t k = 0; k < 4; ++k) {
    _mm256_storeu_ps(out + k * width, _mm256_permute2f128_ps(four[k], four[k + 4], 0x20));
    _mm256_storeu_ps(out + (k + 4) * width, _mm256_permute2f128_ps(four[k], four[k + 4], 0x31));
  }
}

/// The same for four and four.
inline void transpose_four(const float* in, std::size_t stride, std::size_t width, float* out) {
  __m128 row0 = _mm_loadu_ps(in);
  __m128 row1 = _mm_loadu_ps(in + stride);
  __m128 row2 = _mm_loadu_ps(in + 2 * stride);
  __m128 row3 = _mm_loadu_ps(in + 3 * stride);
  _MM_TRANSPOSE4_PS(row0, row1, row2, row3);
  _mm_storeu_ps(out, row0);
  _mm_storeu_ps(out + width, row1);
  _mm_storeu_ps(out + 2 * width, row2);
  _mm_storeu_ps(out + 3 * width, row3);
}

}  // namespace

void matrix_tile_f32_avx2(const float* a, const float* b, std::size_t depth, float* c, std::size_t stride,
                          bool accumulate) {
  __m256 sum[kRows][2];
#pragma GCC unroll 6
  for (std::size_t i = 0; i < kRows; ++i) {
    sum[i][0] = accumulate ? _mm256_loadu_ps(c + i * stride) : _mm256_setzero_ps();
    sum[i][1] = accumulate ? _mm256_loadu_ps(c + i * stride + kLanes) : _mm256_setzero_ps();
  }
  for (std::size_t k = 0; k < depth; ++k) {
    const __m256 b0 = _mm256_loadu_ps(b + k * kColumns);
    const __m256 b1 = _mm256_loadu_ps(b + k * kColumns + kLanes);
#pragma GCC unroll 6
    for (std::size_t i = 0; i < kRows; ++i) {
      const __m256 factor = _mm256_broadcast_ss(a + k * kRows + i);
      sum[i][0] = _mm256_fmadd_ps(factor, b0, sum[i][0]);
      sum[i][1] = _mm256_fmadd_ps(factor, b1, sum[i][1]);
    }
  }
#pragma GCC unroll 6
  for (std::size_t i = 0; i < kRows; ++i) {
    _mm256_storeu_ps(c + i * stride, sum[i][0]);
    _mm256_storeu_ps(c + i * stride + kLanes, sum[i][1]);
  }
}

void pack_panel_f32_avx2(const float* in, std::size_t stride, std::size_t count, std::size_t depth,
                         std::size_t width, float* out) {
  const std::size_t whole = depth / kLanes * kLanes;
  std::size_t l = 0;
  for (; l + 8 <= count; l += 8) {
    for (std::size_t k = 0; k < whole; k += 8) {
      transpose_eight(in + l * stride + k, stride, width, out + k * width + l);
    }
  }
  for (; l + 4 <= count; l += 4) {
    for (std::size_t k = 0; k < whole; k += 4) {
      transpose_four(in + l * stride + k, stride, width, out + k * width + l);
    }
  }
  for (std::size_t k = 0; k < whole; ++k) {
    for (std::size_t rest = l; rest < count; ++rest) out[k * width + rest] = in[rest * stride + k];
    for (std::size_t rest = count; rest < width; ++rest) out[k * width + rest] = 0;
  }
  for (std::size_t k = whole; k < depth; ++k) {
    for (std::size_t each = 0; each < count; ++each) out[k * width + each] = in[each * stride + k];
    for (std::size_t rest = count; rest < width; ++rest) out[k * width + rest] = 0;
  }
}

}  // namespace granule
