#pragma once

#include "backends/cuda/reference_dot.cuh"
#include "backends/cuda/score_rows.cuh"

namespace granule::cuda {

/// The score of a stored vector before its bias and its rounding, by eight lanes together; 0 for those that
/// are not there.
__device__ inline double similarity_of_vector(const ScoreArguments& score, const SegmentView& segment,
                                              uint32_t vector, uint32_t query, bool there) {
  const float* const query_vector = score.queries + static_cast<std::size_t>(query) * score.dimension;
  const double dot =
      reference_dot(query_vector, segment.vectors, score.dtype,
                    static_cast<std::size_t>(vector) * score.dimension, there ? score.dimension : 0);
  if (!there || score.metric != Metric::squared_l2) return dot;
  return (2.0 * dot - segment.squared_norms[vector]) - score.query_squared_norms[query];
}

/// The score of a row that is one vector, by eight lanes together.
__device__ inline float score_of_row(const ScoreArguments& score, const SegmentView& segment, uint32_t index,
                                     uint32_t query, bool there) {
  double sum = similarity_of_vector(score, segment, index, query, there);
  if (there && segment.row_biases != nullptr) sum += static_cast<double>(segment.row_biases[index]);
  return static_cast<float>(sum);
}

}  // namespace granule::cuda
