#pragma once

#include <cstdint>

#include "backends/cuda/device_types.h"

namespace granule::cuda {

/// A scan of the codes of some tiles of rows for some queries. All pointers are the device's.
struct ScanArguments {
  const SegmentView* segments;
  /// The segment of each tile.
  const uint32_t* segment_of_tile;
  uint32_t first_tile;
  uint32_t end_tile;
  /// Of DeviceLayout::kStep dimensions.
  uint32_t steps;
  /// Codes of the queries, as the kernel wants them.
  const int8_t* query_codes;
  const ScanQuery* queries;
  uint32_t query_count;
  /// Ordered keys of scores that k rows surely reach, one per query.
  const uint32_t* thresholds;
  /// One bit per row; null: all are allowed.
  const uint8_t* filter;
  CandidateLists lists;
};

/// Notes a row's interval for a query where it reaches the threshold.
#if defined(__CUDACC__) || defined(GRANULE_CUDA_EMULATED)
__device__ inline void take_candidate(const ScanArguments& scan, uint32_t query, uint32_t row,
                                      const Interval& interval) {
  if (!is_allowed(scan.filter, row)) return;
  const uint32_t at = atomicAdd(scan.lists.counts + query, 1u);
  if (at < scan.lists.capacity) {
    scan.lists.candidates[static_cast<std::size_t>(query) * scan.lists.capacity + at] = {row, interval.lower,
                                                                                         interval.upper};
  }
}
#endif

}  // namespace granule::cuda
