#pragma once

#include <string>

namespace granule::cuda {

/// Scans a few rows with both kernels for batches (scan_tiles.cuh, scan_tiles_hopper.cuh), in every shape
/// that the second has, on the calling thread's device, and compares what they find bit for bit.
///
/// @return empty: they find the same; otherwise in what they differ
/// @throws CudaFailure
std::string hopper_fault();

}  // namespace granule::cuda
