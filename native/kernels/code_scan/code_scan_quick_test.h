#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/code_scan/code_scan.h"

// The quick test of a batch. Most rows are far below the threshold, and one comparison of the integer product
// shows it. With S = scale and s = row scale, a row is kept only if, in real numbers,
//
//     I S s + b + shift + N code_norm + R residual_norm + B |b| + slack  >=  T - (roundings)
//
// where each rounding is one of 2^-24 of a magnitude in it; those of I S s itself are, to first order, of
// |T| + |b| + |shift| + w, for at the border that is how large it is. All of them together stay below 2^-21
// of these magnitudes. Divided by S s, with
//
//     rise  = (T - shift - slack - 2^-20 (|T| + |shift| + slack)) / S, lowered by 2^-20 of itself
//     reach = R / S, raised by 2^-18 of itself
//     pull  = 1 / S
//     1 / s = row_inverse,   (ratio code_norm + residual_norm) / s = row_width,   ratio >= N / R of every
//     query (b + (B + 2^-18) |b|) / s = row_bias
//
// a row can be kept only if  I >= rise row_inverse - reach row_width - pull row_bias. The float32 roundings
// of the right side are a few of 2^-24 of its terms, which the shares by which they were lowered and raised
// cover. I, rounded to float32, keeps the comparison, because the right side is a float32 itself. Infinite
// thresholds behave; where something overflows or is undefined the comparison lets the row pass. What passes
// is decided by the interval itself.
//
// A row of zeros has scale 0, norms 0 and I = 0; its row_inverse is 2^60, so that the sign of rise (and the
// bias) decides. A query of scale 0 lets everything pass.
//
// To be included by files of one instruction set each: everything is in an unnamed namespace, so that no file
// gets a copy that was compiled for another.

namespace granule {
namespace {

struct QuickQuery {
  float rise;
  float reach;
  float pull;
};

inline QuickQuery quick_query(const CodeQuery& query, float threshold) {
  const float infinity = __builtin_inff();
  if (!(query.scale > 0)) return {threshold == infinity ? infinity : -infinity, 0, 0};
  const double pull = 1.0 / static_cast<double>(query.scale);
  const auto reach = static_cast<float>(static_cast<double>(query.residual_factor) * pull * (1.0 + 0x1p-18));
  if (__builtin_isinf(threshold)) return {threshold, reach, static_cast<float>(pull)};
  const double t = static_cast<double>(threshold);
  const double shift = static_cast<double>(query.shift);
  const double slack = static_cast<double>(query.slack);
  const double room = 0x1p-20 * (__builtin_fabs(t) + __builtin_fabs(shift) + slack);
  const double rise = (t - shift - slack - room) * pull;
  return {static_cast<float>(rise - 0x1p-20 * __builtin_fabs(rise)), reach, static_cast<float>(pull)};
}

struct QuickQueries {
  static constexpr std::size_t kMost = 512;

  QuickQuery query[kMost];
  float ratio;
  /// B + 2^-18 for the greatest B.
  float bias_factor;
};

inline void quick_queries(const CodeQuery* queries, const float* thresholds, std::size_t count,
                          QuickQueries* out) {
  float ratio = 0;
  float bias_factor = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const CodeQuery& query = queries[i];
    out->query[i] = quick_query(query, thresholds[i]);
    if (!(query.scale > 0)) continue;
    const float own = query.norm_factor / query.residual_factor * (1.0f + 0x1p-20f);
    ratio = own > ratio ? own : ratio;
    bias_factor = query.bias_factor > bias_factor ? query.bias_factor : bias_factor;
  }
  out->ratio = ratio;
  out->bias_factor = bias_factor + 0x1p-18f;
}

struct QuickRows {
  /// A multiple of the block's 16.
  static constexpr std::size_t kMost = 768;

  alignas(64) float inverses[kMost];
  alignas(64) float widths[kMost];
  /// Unset where the blocks have no biases.
  alignas(64) float biases[kMost];
};

/// @param count at most QuickRows::kMost, from row `first` on
inline void quick_rows(const CodeBlocks& blocks, std::size_t first, std::size_t count,
                       const QuickQueries& queries, QuickRows* out) {
  for (std::size_t i = 0; i < count; ++i) {
    const float inverse = 1.0f / blocks.scales[first + i];
    const float bounded = inverse < 0x1p60f ? inverse : 0x1p60f;
    out->inverses[i] = bounded;
    out->widths[i] =
        (queries.ratio * blocks.code_norms[first + i] + blocks.residual_norms[first + i]) * bounded;
  }
  if (blocks.biases == nullptr) return;
  for (std::size_t i = 0; i < count; ++i) {
    const float bias = blocks.biases[first + i];
    out->biases[i] = (bias + queries.bias_factor * __builtin_fabsf(bias)) * out->inverses[i];
  }
}

}  // namespace
}  // namespace granule
