#pragma once

#include <cstdint>
#include <vector>

#include "backends/cuda/flat_search.h"
#include "backends/cuda/row_search.h"

namespace granule::cuda {

/// Queries that a certified scan takes at a time.
uint32_t certified_queries_at_a_time(const RowSearch& search);

/// Finds the best rows of `count` queries from `first` on by their codes (backends/cpu/certified_scan.cc says
/// how); those that codes do not serve are answered by the plain scan.
///
/// Kernels do not wait for each other's thresholds; a scan goes through ever larger shares of the rows, with
/// the thresholds that the shares before it gave.
///
/// @throws CudaFailure, Cancelled, Damaged
void scan_certified(RowSearch& search, uint64_t first, uint32_t count, std::vector<QueryResult>* results);

}  // namespace granule::cuda
