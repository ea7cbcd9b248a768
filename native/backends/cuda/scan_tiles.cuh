#pragma once

#include <cuda_runtime.h>

#include "backends/cuda/scan_arguments.h"

namespace granule::cuda {

/// Queries of a tile of the scan for batches: the codes of a batch lie in tiles of so many queries
/// (DeviceLayout with this many rows in a tile), the last one filled with zeros.
unsigned scan_tiles_queries(uint32_t query_count);

/// Scans codes for a batch of queries, bound by arithmetic, with the matrix instructions of sm_80 and later.
cudaError_t launch_scan_tiles(const ScanArguments& scan, cudaStream_t stream);

}  // namespace granule::cuda
