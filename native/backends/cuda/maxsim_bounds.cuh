#pragma once

#include <cuda_runtime.h>

#include "backends/cuda/document_arguments.h"

namespace granule::cuda {

/// Bytes of shared memory that the kernels over documents need for a dimension.
std::size_t panel_shared_bytes(uint32_t dimension);

/// Bounds of the MaxSim scores of documents from their codes: of place i and query q at q * stride + i.
/// Documents that the filter forbids get NaN; for queries that codes do not serve all are possible, -infinity
/// to infinity.
///
/// A document's upper bound is its score with every similarity replaced by the upper end of its interval:
/// maxima, sums in the same order and one rounding, all monotone, so that no score exceeds it; likewise the
/// lower.
cudaError_t launch_maxsim_bounds(const DocumentArguments& search, float* uppers, float* lowers,
                                 uint32_t stride, unsigned blocks, cudaStream_t stream);

/// Where listed documents go: `capacity` places for each query, with their bounds unless that is null. The
/// counts, zeros at first, are of all that are to be listed, also of those beyond the capacity.
struct ListedDocuments {
  uint32_t* places;
  float* bounds;
  uint32_t* counts;
  uint32_t capacity;
};

/// For each query: lists the places whose bound, or score, reaches `from` and, unless `below` is null, does
/// not reach `below`; thresholds are ordered keys. NaN reaches nothing.
cudaError_t launch_list_documents(const float* bounds, uint32_t count, uint32_t stride, const uint32_t* from,
                                  const uint32_t* below, const ListedDocuments& out, uint32_t query_count,
                                  cudaStream_t stream);

}  // namespace granule::cuda
