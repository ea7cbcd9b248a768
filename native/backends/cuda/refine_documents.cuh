#pragma once

#include <cuda_runtime.h>

#include "backends/cuda/document_arguments.h"

namespace granule::cuda {

/// Reference MaxSim scores of listed documents, from a few exact similarities: with l the greatest lower
/// bound of a query vector's similarities, only vectors whose upper bound reaches l can match it best. Those
/// are compared by the reference arithmetic; the first of equals wins.
///
/// @param scores receives the score of place i for query q at q * stride + i. Documents whose vectors are not
/// on the device are left out.
/// @param matches of list entry e of query q at ((q * capacity) + e) * matches.stride
cudaError_t launch_refine_documents(const DocumentArguments& search, const DocumentLists& lists,
                                    uint32_t most_listed, float* scores, uint32_t stride,
                                    const MatchArrays& matches, cudaStream_t stream);

}  // namespace granule::cuda
