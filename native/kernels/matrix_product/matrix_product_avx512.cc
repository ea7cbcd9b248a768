// Compiled for AVX-512; only intrinsics and functions of this file (see inner_product_avx2.cc).
#include "kernels/avx512_intrinsics.h"
#include "kernels/matrix_product/matrix_product.h"

namespace granule {
namespace {

constexpr std::size_t kRows = kMatrixTileAvx512.rows;
constexpr std::size_t kColumns = kMatrixTileAvx512.columns;
constexpr std::size_t kLanes = 16;

}  // namespace

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
