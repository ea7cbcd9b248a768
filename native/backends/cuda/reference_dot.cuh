#pragma once

#include "backends/cuda/instructions.cuh"
#include "backends/cuda/stored_number.h"

namespace granule::cuda {

/// Lanes that share a reference inner product.
constexpr unsigned kReferenceLanes = 8;

/// The reference inner product before its rounding (core/canonical_dot.h), by eight lanes together: lane l
/// adds the products of numbers l, l + 8, ... in order, and the lanes are added pairwise; every lane gets the
/// sum. All lanes of a warp must come here.
///
/// @param first of the stored numbers
/// @param dimension 0 for lanes that have nothing to add
__device__ inline double reference_dot(const float* query, const void* vectors, Dtype dtype,
                                       std::size_t first, uint32_t dimension) {
  double sum = 0;
  for (uint32_t i = threadIdx.x % kReferenceLanes; i < dimension; i += kReferenceLanes) {
    sum = __fma_rn(static_cast<double>(query[i]),
                   static_cast<double>(stored_number(vectors, dtype, first + i)), sum);
  }
  // ((0+1)+(2+3)) + ((4+5)+(6+7)): additions commute, so every lane has the same bits.
  sum += __shfl_xor_sync(kAllLanes, sum, 1);
  sum += __shfl_xor_sync(kAllLanes, sum, 2);
  sum += __shfl_xor_sync(kAllLanes, sum, 4);
  return sum;
}

}  // namespace granule::cuda
