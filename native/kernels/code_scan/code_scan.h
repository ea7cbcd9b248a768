#pragma once

#include <cstddef>
#include <cstdint>

namespace granule {

/// Blocks of codes (core/code_layout.h) and, per row, what the intervals need.
struct CodeBlocks {
  const uint8_t* codes;
  const float* scales;
  const float* residual_norms;
  const float* code_norms;
  /// float32 of what is added to the row's score; null: nothing.
  const float* biases;
  /// CodeLayout::groups of the dimension.
  std::size_t groups;
};

/// A query of a scan. With I the integer dot product of the codes, a row's score lies in [a - w, a + w]:
///
///     a = I * (scale * row scale) + row bias + shift
///     w = norm_factor * code_norm + residual_factor * residual_norm + bias_factor * |row bias| + slack
///
/// The factors are chosen by the caller so that w also covers every float32 rounding here.
struct CodeQuery {
  /// 128 times the sum of its codes.
  int32_t offset;
  float scale;
  float norm_factor;
  float residual_factor;
  float bias_factor;
  float shift;
  float slack;
};

/// A row whose interval reaches the query's threshold.
struct CodeSurvivor {
  /// Counted from the first row of the scanned blocks.
  uint32_t row;
  float lower;
  float upper;
};

/// Scans blocks for a few queries and keeps, for each query, the rows with upper >= threshold, rows
/// ascending.
///
/// The integer dot products are exact: |I| <= 255 * 127 * dimension < 2^31 up to 65,536 dimensions.
///
/// @param blocks its arrays start at the first block to scan
/// @param codes codes of the queries, groups * 4 each, one query after another
/// @param survivors query q's start at q * survivor_stride; there is room for all rows
/// @param counts how many survivors each query has
using CodeScan = void(const CodeBlocks& blocks, std::size_t block_count, const int8_t* codes,
                      const CodeQuery* queries, std::size_t query_count, const float* thresholds,
                      CodeSurvivor* survivors, std::size_t survivor_stride, uint32_t* counts);

CodeScan code_scan_i8_scalar;
CodeScan code_scan_i8_avx2;
CodeScan code_scan_i8_avx512vnni;

}  // namespace granule
