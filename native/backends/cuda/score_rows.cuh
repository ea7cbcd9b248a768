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

/// A row whose upper bound reached the threshold of its query.
struct Survivor {
  uint32_t row;
  /// NaN where the device does not hold the vector.
  float score;
};

/// What becomes of the candidates of a few queries, small enough to be copied whole.
struct SurvivorLists {
  /// For each query how many there are; none is listed where there are more than the capacity.
  uint32_t* counts;
  /// Copies of the thresholds.
  uint32_t* thresholds;
  /// `capacity` for each query.
  Survivor* survivors;
  uint32_t capacity;
};

/// Reference scores of each query's candidates whose upper bound reaches its threshold, NaN for the others:
/// of candidate i of query q at scores[q * capacity + i].
cudaError_t launch_score_candidates(const ScoreArguments& score, const CandidateLists& lists,
                                    const uint32_t* thresholds, uint32_t most_candidates, float* scores,
                                    cudaStream_t stream);

/// The same for candidates of which all reach their thresholds, as launch_select_candidates leaves them; the
/// grid does not depend on how many there are.
///
/// @param out its capacity is at most that of `lists`
cudaError_t launch_score_survivors(const ScoreArguments& score, const CandidateLists& lists,
                                   const uint32_t* thresholds, const SurvivorLists& out, cudaStream_t stream);

/// Reference scores of all rows from `first` up to `end`, which lie in one segment, NaN for those that the
/// filter forbids: of row r and query q at scores[q * stride + r - first].
cudaError_t launch_score_range(const ScoreArguments& score, uint32_t segment, uint32_t first, uint32_t end,
                               const uint8_t* filter, float* scores, uint32_t stride, cudaStream_t stream);

}  // namespace granule::cuda
