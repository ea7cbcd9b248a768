#pragma once

#include <cstddef>
#include <cstdint>

namespace granule {

/// What moves through memory while a block is coded, which by itself needs little of it. A matter of speed
/// only, except that `copy` is written.
struct QuantizeTraffic {
  /// As many numbers as the block has that will be read next: brought nearer. Null: unknown.
  const float* next = nullptr;
  /// Where to copy the rows to, past the caches; null: nowhere. At a border of 64 bytes.
  float* copy = nullptr;
  /// Whether the codes, at a border of 64 bytes then, may go past the caches.
  bool stream_codes = false;
};

/// Codes of one block of 16 rows (core/code_layout.h), and what bounds their error. For row x of d numbers:
///
///     s = max |x_i| / 127 in float32,   c_i = x_i / s rounded to the nearest integer, |c_i| <= 127,   xhat =
///     s c scale = s;   residual_norm >= |x - xhat|;   code_norm >= |xhat|      (both rounded up to float32)
///
/// The differences x_i - s c_i are taken in float32; each is off by less than s / 65536, which residual_norm
/// allows for d times over, and the sum of their squares, over sixteen float32 lanes, by less than a share of
/// (d / 16 + 4) 2^-23. Every instruction set gives the same bits. A zero row has scale 0 and codes 0.
///
/// @param rows 16 rows of `dimension` finite float32
/// @param codes CodeLayout::block_bytes(dimension) bytes
/// @return false where a scale lies outside [2^-40, 2^40], where the float32 bounds of a scan would not hold
using QuantizeBlock = bool(const float* rows, std::size_t dimension, const QuantizeTraffic& traffic,
                           uint8_t* codes, float* scales, float* residual_norms, float* code_norms);

QuantizeBlock quantize_block_f32_scalar;
QuantizeBlock quantize_block_f32_avx2;
QuantizeBlock quantize_block_f32_avx512;
QuantizeBlock quantize_block_f32_neon;

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

/// A query in two planes: the codes above, and codes of what they leave over, at a scale of s / 254 in
/// float32:
///
///     q  ~  s c + fine_scale * fine_codes
struct TwoPlaneCodes {
  float scale;
  float fine_scale;
  int32_t code_sum;
  int32_t fine_code_sum;
  /// Of what both planes leave over.
  double residual_norm;
  /// The sum of both planes' norms.
  double code_norm;
};

/// @param codes and @param fine_codes groups * 4 bytes each
TwoPlaneCodes quantize_query_two_planes(const float* query, std::size_t dimension, int8_t* codes,
                                        int8_t* fine_codes);

/// Whether the bounds of a scan hold for a scale.
bool scale_in_range(float scale);

/// The norms of a row from the sums over it: `lanes` of squared float32 differences, and the sum of squared
/// codes.
void quantization_norms(float scale, const float lanes[16], int32_t squared_codes, std::size_t dimension,
                        float* residual_norm, float* code_norm);

}  // namespace granule
