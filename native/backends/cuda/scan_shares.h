#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <vector>

#include "backends/cuda/query_codes.h"
#include "backends/cuda/scan_arguments.h"

namespace granule::cuda {

/// Tiles of rows, counted through all segments of a search.
struct TileRange {
  uint32_t begin;
  uint32_t end;
};

/// The shares of the rows that a scan goes through one after another: the first, of which every row is a
/// candidate, is small, and each is larger than those before it together.
std::vector<TileRange> scan_shares(uint32_t tiles, uint32_t k);

/// Candidates of a query that there is room for: the first share, and what the later ones bring on average.
uint32_t candidate_capacity(uint32_t k, uint64_t row_count);

/// Scans with the kernel that reads codes as a stream, as many queries at a time as the plan says.
///
/// @throws CudaFailure
void stream_tiles(const ScanArguments& scan, const ScanPlan& plan, unsigned multiprocessors,
                  cudaStream_t stream);

}  // namespace granule::cuda
