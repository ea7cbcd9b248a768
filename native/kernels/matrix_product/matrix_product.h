#pragma once

#include <cstddef>

namespace granule {

// A matrix product C = A B in float32, of which a kernel computes one tile. Every element is one chain of
// fused multiply-adds in ascending k,
//
//     c = fma(a(i, k), b(k, j), c)        k = 0, 1, ...        c = 0, or what was there before
//
// so that it has the same bits on every instruction set, however a product is divided into tiles, blocks of k
// and threads. Which of A and B is transposed shows in how they are packed only.
//
// A panel is what a tile reads: of A the numbers of `rows` rows side by side, a[k * rows + i], of B those of
// `columns` columns, b[k * columns + j]. Where the matrix ends within a panel, the rest of it is 0.

/// What one call of a MatrixTile computes.
struct MatrixTileShape {
  std::size_t rows;
  std::size_t columns;
};

/// Sums in registers: rows x columns / lanes of them, more than the latency of a multiply-add needs.
inline constexpr MatrixTileShape kMatrixTileScalar{4, 4};
inline constexpr MatrixTileShape kMatrixTileAvx2{6, 16};
inline constexpr MatrixTileShape kMatrixTileAvx512{8, 32};
inline constexpr MatrixTileShape kMatrixTileNeon{8, 12};
/// No tile has more elements.
inline constexpr std::size_t kMatrixTileMost = 256;

/// One tile of C from a panel of A and one of B.
///
/// @param depth numbers per row of A and column of B
/// @param c row i of the tile begins at c + i * stride
/// @param accumulate whether the chains go on from C; otherwise they begin with 0, and C is not read
using MatrixTile = void(const float* a, const float* b, std::size_t depth, float* c, std::size_t stride,
                        bool accumulate);

/// Packs vectors that lie one after the other into a panel, which has them side by side:
///
///     out[k * width + l] = in[l * stride + k]      l < count      0 for the others up to `width`
///
/// @param count at most `width`, which is one of the tile's two
/// @param out depth x width numbers
using PackPanel = void(const float* in, std::size_t stride, std::size_t count, std::size_t depth,
                       std::size_t width, float* out);

MatrixTile matrix_tile_f32_scalar;
MatrixTile matrix_tile_f32_avx2;
MatrixTile matrix_tile_f32_avx512;
MatrixTile matrix_tile_f32_neon;

PackPanel pack_panel_f32_scalar;
PackPanel pack_panel_f32_avx2;
PackPanel pack_panel_f32_avx512;

}  // namespace granule
