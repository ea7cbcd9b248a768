#include "backends/cuda/batch_scan.h"

#include "backends/cuda/cuda_failure.h"
#include "backends/cuda/hopper_check.h"
#include "backends/cuda/scan_tiles.cuh"
#include "backends/cuda/scan_tiles_hopper.cuh"

namespace granule::cuda {

BatchScan::BatchScan(const cudaDeviceProp& properties)
    : multiprocessors_(static_cast<unsigned>(properties.multiProcessorCount)),
      shared_bytes_(properties.sharedMemPerBlockOptin) {
  if (properties.major != 9 || properties.minor != 0) return;
  std::string fault;
  try {
    fault = hopper_fault();
  } catch (const CudaFailure& failure) {
    fault = failure.what();
    // Some errors stay: then nothing can be done on the device any more.
    std::size_t free = 0;
    std::size_t total = 0;
    check(cudaMemGetInfo(&free, &total), "the device failed when its matrix instructions were tried");
  }
  hopper_ = fault.empty();
  description_ = hopper_ ? "wgmma" : "mma.sync, not wgmma: " + fault;
}

cudaError_t BatchScan::launch(const ScanArguments& scan, cudaStream_t stream) const {
  if (hopper_) {
    const HopperShape shape = hopper_shape(scan, multiprocessors_, shared_bytes_);
    if (shape.queries != 0) return launch_scan_tiles_hopper(scan, shape, stream);
  }
  return launch_scan_tiles(scan, stream);
}

}  // namespace granule::cuda
