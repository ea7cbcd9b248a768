#pragma once

#include <cuda_runtime.h>

#include "backends/cuda/score_rows.cuh"

namespace granule::cuda {

/// A sum of terms (core/log_sum_exp.h) that blocks add to: low + 2^64 high.
struct SharedTermSum {
  unsigned long long low;
  unsigned long long high;
};

/// Queries, and where the sums of their terms go. All pointers are the device's.
struct TermArguments {
  /// Its queries are vectors: query_count of them where rows are vectors.
  ScoreArguments score;
  /// Documents: query q owns the vectors from query_offsets[q] up to query_offsets[q + 1].
  const uint32_t* query_offsets;
  uint32_t query_count;
  const uint8_t* filter;
  /// The greatest score of each query.
  const float* maxima;
  double temperature;
  /// One per query; terms are added to what is there.
  SharedTermSum* sums;
};

/// Adds the terms of rows `first` up to `end` of a segment whose vectors are on the device, those that the
/// filter allows, each from its reference score.
cudaError_t launch_sum_row_terms(const TermArguments& arguments, uint32_t segment, uint32_t first,
                                 uint32_t end, cudaStream_t stream);

/// The same for documents, each from its reference MaxSim.
cudaError_t launch_sum_document_terms(const TermArguments& arguments, uint32_t segment, uint32_t first,
                                      uint32_t end, cudaStream_t stream);

}  // namespace granule::cuda
