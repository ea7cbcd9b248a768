#include <cmath>

#include "kernels/matrix_product/matrix_product.h"

namespace granule {

void matrix_tile_f32_scalar(const float* a, const float* b, std::size_t depth, float* c, std::size_t stride,
                            bool accumulate) {
  constexpr std::size_t kRows = kMatrixTileScalar.rows;
  constexpr std::size_t kColumns = kMatrixTileScalar.columns;
  float sum[kRows][kColumns] = {};
  if (accumulate) {
    for (std::size_t i = 0; i < kRows; ++i) {
      for (std::size_t j = 0; j < kColumns; ++j) sum[i][j] = c[i * stride + j];
    }
  }
  for (std::size_t k = 0; k < depth; ++k) {
    for (std::size_t i = 0; i < kRows; ++i) {
      for (std::size_t j = 0; j < kColumns; ++j) {
        sum[i][j] = std::fma(a[k * kRows + i], b[k * kColumns + j], sum[i][j]);
      }
    }
  }
  for (std::size_t i = 0; i < kRows; ++i) {
    for (std::size_t j = 0; j < kColumns; ++j) c[i * stride + j] = sum[i][j];
  }
}

void pack_panel_f32_scalar(const float* in, std::size_t stride, std::size_t count, std::size_t depth,
                           std::size_t width, float* out) {
  for (std::size_t k = 0; k < depth; ++k) {
    float* row = out + k * width;
    for (std::size_t l = 0; l < count; ++l) row[l] = in[l * stride + k];
    for (std::size_t l = count; l < width; ++l) row[l] = 0;
  }
}

}  // namespace granule
