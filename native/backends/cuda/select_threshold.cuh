#pragma once

#include <cuda_runtime.h>

#include "backends/cuda/device_types.h"

namespace granule::cuda {

/// For each query: raises the threshold to the k-th largest lower bound of its candidates, where there are k,
/// and copies the candidates whose upper bound reaches it to other lists.
///
/// @param thresholds ordered keys
cudaError_t launch_select_candidates(const CandidateLists& from, const CandidateLists& to,
                                     uint32_t* thresholds, uint32_t k, uint32_t query_count,
                                     cudaStream_t stream);

/// For each query: raises the threshold to the k-th largest of `count` numbers, which start at query *
/// stride; those that are NaN count for nothing.
cudaError_t launch_select_threshold(const float* numbers, uint32_t count, uint32_t stride,
                                    uint32_t* thresholds, uint32_t k, uint32_t query_count,
                                    cudaStream_t stream);

}  // namespace granule::cuda
