#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/code_scan/code_scan.h"

namespace granule {

/// Query vectors of one call of CodeMaxsim.
struct CodeMaxsimQueries {
  static constexpr std::size_t kMost = 8;

  /// 1 to kMost.
  std::size_t count;
  /// Codes, groups * 4 each, one query vector after another.
  const int8_t* codes;
  /// -128 times the sum of each vector's codes.
  const int32_t* starts;
  /// Used where rows have biases.
  const float* scales;
  float norm_factor;
  float residual_factor;
  float bias_factor;
};

/// Consecutive runs of rows whose greatest bounds are wanted: span s has the rows from begins[s] up to
/// begins[s + 1], at least one, counted from the first row of the blocks.
struct CodeMaxsimSpans {
  std::size_t count;
  const uint32_t* begins;
};

/// Upper bounds of the similarities of a few query vectors with rows, from codes. With I the integer dot
/// product of the codes, exact as in CodeScan:
///
///     margin = norm_factor * code_norm + residual_factor * residual_norm
///     upper  = I * row scale + margin                                                      (no biases)
///     upper  = scale * (I * row scale + margin) + (bias + bias_factor * |bias|)            (biases)
///
/// in float32, each operation rounded. Without biases the unit is the query vector's scale, so that the
/// margin is the same for all query vectors: one addition per row and query vector bounds its similarity.
///
/// @param block_count of `blocks`, which start at the first row
/// @param uppers receives query vector q's bound of row r at q * upper_stride + r, for every row of the
/// blocks
/// @param maxima receives the greatest bound of span s for query vector q at s * maxima_stride + q
/// @param upcoming what will be read after this call, null: nothing; may be brought into the cache meanwhile
using CodeMaxsim = void(const CodeBlocks& blocks, std::size_t block_count, const CodeMaxsimQueries& queries,
                        const CodeMaxsimSpans& spans, float* uppers, std::size_t upper_stride, float* maxima,
                        std::size_t maxima_stride, const uint8_t* upcoming, std::size_t upcoming_bytes);

CodeMaxsim code_maxsim_i8_scalar;
CodeMaxsim code_maxsim_i8_avx2;
CodeMaxsim code_maxsim_i8_avxvnni;
CodeMaxsim code_maxsim_i8_avx512;
CodeMaxsim code_maxsim_i8_avx512vnni;
CodeMaxsim code_maxsim_i8_neon;
CodeMaxsim code_maxsim_i8_neondot;
CodeMaxsim code_maxsim_i8_neoni8mm;

}  // namespace granule
