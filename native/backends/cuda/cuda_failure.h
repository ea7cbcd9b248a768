#pragma once

#include <cuda_runtime.h>

#include <stdexcept>
#include <string>

#include "backends/backend.h"

namespace granule::cuda {

/// A call of the CUDA runtime failed.
struct CudaFailure : std::runtime_error {
  CudaFailure(cudaError_t cuda_error, const std::string& what)
      : std::runtime_error(what + ": " + cudaGetErrorString(cuda_error)), error(cuda_error) {}

  granule_result result() const {
    return error == cudaErrorMemoryAllocation ? GRANULE_OUT_OF_MEMORY : GRANULE_FAILED;
  }

  cudaError_t error;
};

/// The caller of a search has asked to stop.
struct Cancelled {};

/// The file behind a segment is damaged.
struct Damaged {};

/// @throws CudaFailure
inline void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  // What is not fetched would be found by the next call.
  cudaGetLastError();
  throw CudaFailure(error, what);
}

}  // namespace granule::cuda
