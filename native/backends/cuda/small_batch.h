#pragma once

#include <cstdint>
#include <vector>

#include "backends/cuda/flat_search.h"
#include "backends/cuda/row_search.h"

namespace granule::cuda {

/// Whether scan_small_batch answers so many queries.
bool is_small_batch(const RowSearch& search, uint32_t count);

/// The certified scan (certified_scan.h) for so few queries that every call to the device counts: one copy
/// there, all scans, selections and scores, one copy back, and one wait; recorded as a graph where it comes
/// again. A corpus that takes more than some milliseconds is scanned in several such parts, and the search
/// may stop between two.
///
/// @return the queries that it does not answer: of which more rows survive than the copy back has room for,
/// or that codes do not serve
/// @throws CudaFailure, Cancelled, Damaged
std::vector<uint64_t> scan_small_batch(RowSearch& search, uint64_t first, uint32_t count,
                                       std::vector<QueryResult>* results);

}  // namespace granule::cuda
