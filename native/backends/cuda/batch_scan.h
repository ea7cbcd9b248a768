#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <string>

#include "backends/cuda/scan_arguments.h"

namespace granule::cuda {

/// The scan for batches of queries on one device, by the fastest kernel that is right there: that of
/// scan_tiles_hopper.cuh on compute capability 9.0 where it passes hopper_check.h, otherwise that of
/// scan_tiles.cuh.
class BatchScan {
 public:
  /// For the calling thread's device.
  ///
  /// @throws CudaFailure where the device works no more
  explicit BatchScan(const cudaDeviceProp& properties);

  /// The queries' codes lie as for launch_scan_tiles.
  cudaError_t launch(const ScanArguments& scan, cudaStream_t stream) const;

  /// The instructions that it is made of, and why these where the device has better ones.
  const std::string& description() const { return description_; }

 private:
  unsigned multiprocessors_;
  std::size_t shared_bytes_;
  bool hopper_ = false;
  std::string description_ = "mma.sync";
};

}  // namespace granule::cuda
