#pragma once

#include <algorithm>
#include <cstddef>

#include "backends/backend.h"
#include "core/aligned_buffer.h"
#include "core/canonical_dot.h"
#include "core/score.h"

namespace granule {

/// Query vectors as the kernels want them: float64, each padded with zeros to a multiple of eight lanes; with
/// their squared norms where the metric needs them.
struct WidenedQueries {
  WidenedQueries(const float* vectors, std::size_t count, std::size_t dimension, Metric metric)
      : stride((dimension + kLanes - 1) / kLanes * kLanes),
        values(count * stride),
        squared_norms(metric == Metric::squared_l2 ? count : 0) {
    for (std::size_t v = 0; v < count; ++v) {
      const float* source = vectors + v * dimension;
      double* out = values.data() + v * stride;
      for (std::size_t i = 0; i < dimension; ++i) out[i] = static_cast<double>(source[i]);
      std::fill(out + dimension, out + stride, 0.0);
      if (squared_norms.size() != 0) squared_norms[v] = canonical_dot(source, source, dimension);
    }
  }

  const double* vector(std::size_t v) const { return values.data() + v * stride; }
  double squared_norm(std::size_t v) const { return squared_norms.size() != 0 ? squared_norms[v] : 0.0; }

  std::size_t stride;
  AlignedBuffer<double> values;
  AlignedBuffer<double> squared_norms;
};

/// Whether the filter allows a row.
inline bool allowed(const uint8_t* filter, uint64_t row) {
  return filter == nullptr || ((filter[row >> 3] >> (row & 7)) & 1) != 0;
}

/// Whether the filter allows any of `count` rows from `first_row` on.
inline bool any_allowed(const uint8_t* filter, uint64_t first_row, std::size_t count) {
  if (filter == nullptr) return true;
  uint64_t row = first_row;
  const uint64_t end = first_row + count;
  for (; row < end && (row & 7) != 0; ++row) {
    if (allowed(filter, row)) return true;
  }
  for (; row + 8 <= end; row += 8) {
    if (filter[row >> 3] != 0) return true;
  }
  for (; row < end; ++row) {
    if (allowed(filter, row)) return true;
  }
  return false;
}

}  // namespace granule
