#pragma once

#include <vector>

#include "backends/backend.h"
#include "backends/cuda/device.h"
#include "core/ranked_list.h"

namespace granule::cuda {

/// What one device found for one query.
struct QueryResult {
  RankedList best;
  /// A score that k rows surely reach; -infinity where no codes were used.
  float threshold;
  uint64_t rows_rescored;
};

QueryResult empty_result(uint32_t k);

/// Searches rows of the segments given, which the device holds or comes to hold.
///
/// @param search its segments are ignored
/// @return one result for each query
/// @throws CudaFailure, Cancelled, Damaged, std::bad_alloc
std::vector<QueryResult> search_rows(Device& device, const granule_search& search,
                                     const std::vector<const granule_segment*>& segments);

}  // namespace granule::cuda
