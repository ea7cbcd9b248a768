#pragma once

#include <cuda_runtime.h>

#include "backends/cuda/scan_arguments.h"

namespace granule::cuda {

/// Query vectors, planes counted, that one pass of the stream serves.
constexpr unsigned kMostStreamVectors = 8;

/// Scans codes for a few queries, bound by memory: every byte of the codes is read once, 16 in each lane, and
/// meets all queries in registers.
///
/// @param scan its query codes hold, for each query, `planes` times steps * 64 bytes
/// @param planes 1, or 2 for queries with a second plane for what the first leaves over
/// @param blocks of the grid
cudaError_t launch_scan_stream(const ScanArguments& scan, unsigned planes, unsigned blocks,
                               cudaStream_t stream);

/// Blocks that fill a device.
unsigned scan_stream_blocks(unsigned multiprocessors);

}  // namespace granule::cuda
