#pragma once

#include <cuda_runtime.h>

#include <cstddef>

#include "backends/cuda/scan_arguments.h"

namespace granule::cuda {

/// How the scan for batches runs on a device of compute capability 9.0.
struct HopperShape {
  /// Of a tile in which the queries' codes lie: scan_tiles_queries.
  unsigned layout_queries;
  /// Of a block, a part of such a tile: 64, 128 or 256.
  unsigned queries;
  /// Steps of 64 rows that are on their way from memory or in use, for each of a block's two warpgroups.
  unsigned stages;
  unsigned blocks;
};

/// The shape for a scan; 0 queries where the vectors are so long that shared memory does not hold 64 of them:
/// such scans are launch_scan_tiles's.
///
/// @param shared_bytes that a block may have
HopperShape hopper_shape(const ScanArguments& scan, unsigned multiprocessors, std::size_t shared_bytes);

/// As launch_scan_tiles, with the same candidates and intervals, by the warpgroup's matrix instructions and
/// bulk copies of sm_90a. Compiled for anything else it does nothing, and finds no candidates.
cudaError_t launch_scan_tiles_hopper(const ScanArguments& scan, const HopperShape& shape,
                                     cudaStream_t stream);

}  // namespace granule::cuda
