#include <arm_neon.h>

#include "kernels/matrix_product/matrix_product.h"

namespace granule {
namespace {

constexpr std::size_t kRows = kMatrixTileNeon.rows;
constexpr std::size_t kColumns = kMatrixTileNeon.columns;
constexpr std::size_t kLanes = 4;
constexpr std::size_t kParts = kColumns / kLanes;

/// Four rows of the tile: lane `lane` of `factors` times the columns of B.
template <int lane>
inline void add_row(float32x4_t (&sum)[kParts], const float32x4_t (&b)[kParts], float32x4_t factors) {
#pragma GCC unroll 3
  for (std::size_t p = 0; p < kParts; ++p) sum[p] = vfmaq_laneq_f32(sum[p], b[p], factors, lane);
}

inline void add_rows(float32x4_t (*sum)[kParts], const float32x4_t (&b)[kParts], const float* a) {
  const float32x4_t factors = vld1q_f32(a);
  add_row<0>(sum[0], b, factors);
  add_row<1>(sum[1], b, factors);
  add_row<2>(sum[2], b, factors);
  add_row<3>(sum[3], b, factors);
}

}  // namespace

void matrix_tile_f32_neon(const float* a, const float* b, std::size_t depth, float* c, std::size_t stride,
                          bool accumulate) {
  float32x4_t sum[kRows][kParts];
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 3
    for (std::size_t p = 0; p < kParts; ++p) {
      sum[i][p] = accumulate ? vld1q_f32(c + i * stride + p * kLanes) : vdupq_n_f32(0);
    }
  }
  for (std::size_t k = 0; k < depth; ++k) {
    float32x4_t columns[kParts];
#pragma GCC unroll 3
    for (std::size_t p = 0; p < kParts; ++p) columns[p] = vld1q_f32(b + k * kColumns + p * kLanes);
    add_rows(sum, columns, a + k * kRows);
    add_rows(sum + 4, columns, a + k * kRows + 4);
  }
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 3
    for (std::size_t p = 0; p < kParts; ++p) vst1q_f32(c + i * stride + p * kLanes, sum[i][p]);
  }
}

}  // namespace granule
