#pragma once

#include "backends/backend.h"

namespace granule::cuda {

/// The reference score of a row whose vector stays with the host.
///
/// @throws Damaged
float host_score(const granule_search& search, const granule_segment& segment, uint64_t row,
                 const float* query);

/// The reference MaxSim of a document whose vectors stay with the host.
///
/// @param vectors and @param similarities receive the match of each of the query's vectors; null: not wanted
/// @throws Damaged
float host_maxsim(const granule_search& search, const granule_segment& segment, uint64_t row, uint64_t query,
                  uint32_t* vectors, float* similarities);

}  // namespace granule::cuda
