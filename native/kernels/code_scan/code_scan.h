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
/// A query of two planes has a second set of codes, for what the first leaves over, with the product I':
///
///     a = (I * scale + I' * fine_scale) * row scale + row bias + shift
///
/// Products and sums are float32, each rounded, in the order written. The factors are chosen by the caller so
/// that w also covers every rounding here.
struct CodeQuery {
  /// 128 times the sum of its codes.
  int32_t offset;
  float scale;
  float norm_factor;
  float residual_factor;
  float bias_factor;
  float shift;
  float slack;
  /// Of the second plane: 128 times the sum of its codes, and its scale.
  int32_t fine_offset = 0;
  float fine_scale = 0;
};

/// A row whose interval reaches a query's threshold.
struct CodeSurvivor {
  /// Counted from the first row of the scanned blocks.
  uint32_t row;
  /// Counted from the first query of the scan.
  uint32_t query;
  float lower;
  float upper;
};

/// Scans blocks for some queries and keeps, for each query, the rows with upper >= threshold.
///
/// The integer dot products are exact: |I| <= 255 * 127 * dimension < 2^31 up to 65,536 dimensions.
///
/// @param blocks its arrays start at the first block to scan; what follows the last in memory may be fetched
/// into the cache, for the next scan mostly reads it
/// @param codes codes of the queries, groups * 4 each, one query after another; for queries of two planes, of
/// the first plane and then of the second
/// @param thresholds one per query; -infinity keeps all rows, infinity none
/// @param survivors room for all rows of all queries; those of one query come with ascending rows
/// @return how many survivors there are
using CodeScan = std::size_t(const CodeBlocks& blocks, std::size_t block_count, const int8_t* codes,
                             const CodeQuery* queries, std::size_t query_count, const float* thresholds,
                             CodeSurvivor* survivors);

/// Queries of one plane: for batches, which are bound by arithmetic.
CodeScan code_scan_i8_scalar;
CodeScan code_scan_i8_avx2;
CodeScan code_scan_i8_avxvnni;
CodeScan code_scan_i8_avx512;
CodeScan code_scan_i8_avx512vnni;
CodeScan code_scan_i8_neon;
CodeScan code_scan_i8_neondot;
CodeScan code_scan_i8_neoni8mm;

/// Queries of two planes: for one query or two, whose scan is bound by memory; their own rounding then hardly
/// widens the intervals, at no cost.
CodeScan code_scan_two_planes_i8_scalar;
CodeScan code_scan_two_planes_i8_avx2;
CodeScan code_scan_two_planes_i8_avxvnni;
CodeScan code_scan_two_planes_i8_avx512;
CodeScan code_scan_two_planes_i8_avx512vnni;
CodeScan code_scan_two_planes_i8_neon;
CodeScan code_scan_two_planes_i8_neondot;
CodeScan code_scan_two_planes_i8_neoni8mm;

}  // namespace granule
