#pragma once

#include <cstddef>
#include <cstdint>

namespace granule {

/// Codes of one block of 16 rows (core/code_layout.h), and what bounds their error. For row x:
///
///     s = max |x_i| / 127 in float32,   c_i = x_i / s rounded to the nearest integer, |c_i| <= 127,   xhat =
///     s c scale = s;   residual_norm >= |x - xhat| + s / 65536;   code_norm >= |xhat|      (both rounded up)
///
/// The extra s / 65536 keeps products with it away from underflow. A zero row has scale 0 and codes 0.
///
/// @param rows 16 rows of `dimension` finite float32
/// @param codes CodeLayout::block_bytes(dimension) bytes
/// @return false where a scale lies outside [2^-40, 2^40], where the float32 bounds of a scan would not hold
using QuantizeBlock = bool(const float* rows, std::size_t dimension, uint8_t* codes, float* scales,
                           float* residual_norms, float* code_norms);

QuantizeBlock quantize_block_f32_scalar;

/// int8 codes of a query, by the same rule, laid out plainly and padded with zeros to a multiple of four.
struct QueryCodes {
  float scale;
  /// Sum of the codes: rows are stored as code + 128, so a dot product with the bytes is too large by 128
  /// times this.
  int32_t code_sum;
  double residual_norm;
  double code_norm;
};

QueryCodes quantize_query(const float* query, std::size_t dimension, int8_t* codes);

/// Whether the bounds of a scan hold for a scale.
bool scale_in_range(float scale);

}  // namespace granule
