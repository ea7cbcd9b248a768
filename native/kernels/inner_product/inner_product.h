#pragma once

#include <cstddef>

namespace granule {

/// Inner products of a tile of queries with a tile of rows, in the reference arithmetic, before its rounding:
///
///     out[q * out_stride + r] = canonical_dot(query q, row r)          (core/canonical_dot.h), in float64
///
/// Precision: eight float64 lanes, bit for bit; lane l sums elements l, l + 8, ... in order.
/// Layout: `queries` are widened to float64 once per search, each padded with zeros to `query_stride`, a
/// multiple of 8 (adding a zero product never changes a lane: a lane starts at +0 and so is never -0). `rows`
/// are float32 as stored, `row_stride` apart, without padding: a kernel must not read past element
/// `dimension` of the last row.
using InnerProductTile = void(const double* queries, std::size_t query_count, std::size_t query_stride,
                              const float* rows, std::size_t row_count, std::size_t row_stride,
                              std::size_t dimension, double* out, std::size_t out_stride);

InnerProductTile inner_product_f32_scalar;
InnerProductTile inner_product_f32_avx2;
InnerProductTile inner_product_f32_avx512;
InnerProductTile inner_product_f32_neon;

}  // namespace granule
