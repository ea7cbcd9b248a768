#pragma once

#include "backends/cuda/scan_epilogue.cuh"

// A test that leaves out nearly every pair of a row and a query at the cost of one multiplication and one
// comparison, and no pair whose interval reaches the threshold.
//
// With the dot product I of the codes, a row's scale s, width w and bias b, and a query's scale t, shift h and
// threshold T, a pair is a candidate where I s t + b + h + w reaches T. Let W be the greatest width that the
// query has with any row of a group, B the greatest bias in it, and Q the greatest scale of any query; then b
// - B is not positive, and a candidate has
//
//     I s + (b - B) / Q  >=  (T - h - W - B) / t
//
// Rounding is covered by a margin: with M = |T| + |h| + W + max|b| no number on the way to a pair near the
// threshold is beyond 8 M, and some thirty roundings move it by less than 2^-18 M together.

namespace granule::cuda {

/// The greatest factors of a group of rows; these are those of an empty one.
struct GroupFactors {
  float residual_norm = 0.0f;
  float code_norm = 0.0f;
  float bias = -3.402823466e38f;
  float bias_magnitude = 0.0f;
};

constexpr uint32_t kNoRowReaches = 0xffffffffu;

__device__ inline float larger(float a, float b) { return a > b ? a : b; }

__device__ inline GroupFactors larger(const GroupFactors& a, const GroupFactors& b) {
  return {larger(a.residual_norm, b.residual_norm), larger(a.code_norm, b.code_norm), larger(a.bias, b.bias),
          larger(a.bias_magnitude, b.bias_magnitude)};
}

/// The right side: what `weighed_product` of a candidate is not below.
///
/// @param threshold the ordered key of T; 0: none is known, `kNoRowReaches`: nothing is wanted
__device__ inline float needed_product(const ScanQuery& query, uint32_t threshold,
                                       const GroupFactors& group) {
  if (threshold == kNoRowReaches) return __uint_as_float(0x7f800000u);
  const float least = __uint_as_float(bits_of_key(threshold));
  const float width =
      ((query.norm_factor * group.code_norm + query.residual_factor * group.residual_norm) +
       query.bias_factor * group.bias_magnitude) +
      query.slack;
  const float magnitude = ((fabsf(least) + fabsf(query.shift)) + width) + group.bias_magnitude;
  const float needed =
      ((((least - query.shift) - width) - group.bias) - 0x1p-16f * magnitude) / query.scale;
  // Without a threshold, or where a query of scale 0 just reaches it: every row.
  return needed == needed ? needed : __uint_as_float(0xff800000u);
}

/// (b - B) / Q of a row.
__device__ inline float bias_share(float bias, const GroupFactors& group, float greatest_scale) {
  return greatest_scale > 0.0f ? (bias - group.bias) / greatest_scale : 0.0f;
}

/// The left side.
__device__ inline float weighed_product(int dot, float row_scale, float share_of_bias) {
  return __fmaf_rn(static_cast<float>(dot), row_scale, share_of_bias);
}

}  // namespace granule::cuda
