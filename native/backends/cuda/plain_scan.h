#pragma once

#include <cstdint>
#include <vector>

#include "backends/cuda/flat_search.h"
#include "backends/cuda/row_search.h"

namespace granule::cuda {

/// Queries of one plain scan at most.
constexpr uint32_t kPlainQueries = 64;

/// Scores every row by the reference arithmetic, for `count` queries from `first` on.
///
/// @throws CudaFailure, Cancelled, Damaged
void scan_plainly(RowSearch& search, uint64_t first, uint32_t count, std::vector<QueryResult>* results);

}  // namespace granule::cuda
