#pragma once

#include <cstddef>
#include <cstdint>

namespace granule {

/// Scores of queries and documents over which a contrast goes; document i is the positive of query i.
struct ContrastScores {
  /// query_count x document_count, finite
  const double* scores;
  std::size_t query_count;
  std::size_t document_count;
  double temperature;
  /// As of ContrastBatch (training/in_batch_contrast.h).
  const uint32_t* groups;
  const double* weights;
};

/// What directions add up to.
struct ScoreContrast {
  double loss = 0;
  /// sum_ij g_ij (s_ij - s_ii), which is -t dL/dt
  double slopes = 0;
};

/// Adds `share` times one direction of in-batch InfoNCE (training/in_batch_contrast.h), in float64 and
/// ascending order; exp and ln are the reference's. On one thread: scores of several vectors each cost far
/// more than this.
///
/// @param by_query whether queries look for their documents; otherwise documents for their queries
/// @param gradient query_count x document_count, is added to
void add_score_contrast(const ContrastScores& batch, bool by_query, double share, double* gradient,
                        ScoreContrast* sums);

}  // namespace granule
