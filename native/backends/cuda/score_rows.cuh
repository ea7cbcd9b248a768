#pragma once

#include <cuda_runtime.h>

#include "backends/cuda/device_types.h"
#include "core/dtype.h"
#include "core/score.h"

namespace granule::cuda {

/// What the reference scores of rows are computed from. All pointers are the device's.
struct ScoreArguments {
  const SegmentView* segments;
  uint32_t segment_count;
  const float* queries;
  /// |q|^2 in float64 for squared L2; null otherwise.
  const double* query_squared_norms;
  uint32_t query_count;
  uint32_t dimension;
  Metric metric;
  Dtype dtype;
};

/// Reference scores of each query's candidates whose upper bound reaches its threshold, NaN for the others:
/// of candidate i of query q at scores[q * capacity + i].
cudaError_t launch_score_candidates(const ScoreArguments& score, const CandidateLists& lists,
                                    const uint32_t* thresholds, uint32_t most_candidates, float* scores,
                                    cudaStream_t stream);

/// Reference scores of all rows from `first` up to `end`, which lie in one segment, NaN for those that the
/// filter forbids: of row r and query q at scores[q * stride + r - first].
cudaError_t launch_score_range(const ScoreArguments& score, uint32_t segment, uint32_t first, uint32_t end,
                               const uint8_t* filter, float* scores, uint32_t stride, cudaStream_t stream);

}  // namespace granule::cuda
