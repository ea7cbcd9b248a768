#pragma once

#include <cmath>

#include "backends/cuda/device_types.h"
#include "backends/cuda/host_device.h"
#include "backends/cuda/stored_number.h"

// A test that leaves out nearly every pair of a row and a query at the cost of one multiplication and one
// comparison, and no pair whose interval reaches the threshold.
//
// With the dot product I of the codes, a row's scale s, width w and bias b, and a query's scale t, shift h
// and threshold T, a pair is a candidate where I s t + b + h + w reaches T. Let W be the greatest width that
// the query has with any row of a group, B the greatest bias in it, and Q the greatest scale of any query;
// then b - B is not positive, and a candidate has
//
//     I s + (b - B) / Q  >=  (T - h - W - B) / t
//
// Rounding is covered by a margin. With M = |T| + |h| + W + max|b| a product beyond 4 M decides alone, and
// for one below it the sums of both sides, and those of the interval, are no greater than 8 M: their
// roundings, about sixty units of 2^-24 M together, stay below 2^-18 M. The margin is 2^-16 M.

namespace granule::cuda {

/// The greatest factors of a group of rows; these are those of an empty one.
struct GroupFactors {
  float residual_norm = 0.0f;
  float code_norm = 0.0f;
  float bias = -3.402823466e38f;
  float bias_magnitude = 0.0f;
};

/// The threshold of a query of which nothing is wanted.
constexpr uint32_t kNoRowReaches = 0xffffffffu;

GRANULE_HD inline float larger(float a, float b) { return a > b ? a : b; }

GRANULE_HD inline GroupFactors larger(const GroupFactors& a, const GroupFactors& b) {
  return {larger(a.residual_norm, b.residual_norm), larger(a.code_norm, b.code_norm), larger(a.bias, b.bias),
          larger(a.bias_magnitude, b.bias_magnitude)};
}

/// The right side: what `weighed_product` of a candidate is not below.
///
/// @param threshold the ordered key of T; 0: none is known
GRANULE_HD inline float needed_product(const ScanQuery& query, uint32_t threshold,
                                       const GroupFactors& group) {
  if (threshold == kNoRowReaches) return float_of_bits(0x7f800000u);
  const float least = float_of_bits(bits_of_key(threshold));
  const float width = ((query.norm_factor * group.code_norm + query.residual_factor * group.residual_norm) +
                       query.bias_factor * group.bias_magnitude) +
                      query.slack;
  const float magnitude = ((fabsf(least) + fabsf(query.shift)) + width) + group.bias_magnitude;
  const float needed = ((((least - query.shift) - width) - group.bias) - 0x1p-16f * magnitude) / query.scale;
  // Without a threshold, or where a query of scale 0 just reaches it: every row.
  return needed == needed ? needed : float_of_bits(0xff800000u);
}

/// (b - B) / Q of a row.
GRANULE_HD inline float share_of_bias(float bias, const GroupFactors& group, float greatest_scale) {
  return greatest_scale > 0.0f ? (bias - group.bias) / greatest_scale : 0.0f;
}

/// The left side.
GRANULE_HD inline float weighed_product(int dot, float row_scale, float bias_share) {
  return fmaf(static_cast<float>(dot), row_scale, bias_share);
}

}  // namespace granule::cuda
