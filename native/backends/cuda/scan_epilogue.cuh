#pragma once

#include "backends/cuda/instructions.cuh"
#include "backends/cuda/scan_arguments.h"

// What scans of batches do with an integer product, whichever instructions it came from.

namespace granule::cuda {

/// A row's part of the interval of its score.
struct RowFactors {
  float scale;
  float residual_norm;
  float code_norm;
  float bias;
};

/// Row `row` of a segment; zeros where it has no such row.
__device__ inline RowFactors row_factors(const SegmentView& segment, uint32_t row) {
  if (row >= segment.row_count) return {0.0f, 0.0f, 0.0f, 0.0f};
  return {segment.scales[row], segment.residual_norms[row], segment.code_norms[row],
          segment.biases != nullptr ? segment.biases[row] : 0.0f};
}

/// Notes a row for query `q` where the interval about the codes' dot product `dot` reaches the threshold.
///
/// @param query, threshold of query q
/// @param row of the search, not of its segment
__device__ inline void take_where_reached(const ScanArguments& scan, uint32_t q, const ScanQuery& query,
                                          uint32_t threshold, int dot, const RowFactors& factors,
                                          uint32_t row) {
  const float product = static_cast<float>(dot) * (query.scale * factors.scale);
  const Interval interval =
      interval_of(product, query, factors.residual_norm, factors.code_norm, factors.bias);
  if (ordered_key(__float_as_uint(interval.upper)) >= threshold) take_candidate(scan, q, row, interval);
}

}  // namespace granule::cuda
