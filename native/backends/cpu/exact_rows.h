#pragma once

#include <cstddef>

#include "backends/cpu/cpu_backend.h"
#include "backends/cpu/widened_queries.h"
#include "core/ranked_list.h"

namespace granule {

/// Rows scored between two looks at the threshold.
inline constexpr std::size_t kExactRowTile = 32;

/// Scores the rows from `first` up to `end` of a segment by the reference arithmetic, for a group of queries,
/// and offers those that the filter allows to the queries' lists.
///
/// @param tile room for query_count * kExactRowTile
/// @param scratch room for scratch_size of kExactRowTile vectors
/// @throws DamagedFile
void exact_rows(const CpuBackend& backend, const granule_search& search, const WidenedQueries& queries,
                std::size_t first_query, std::size_t query_count, const granule_segment& segment,
                std::size_t first, std::size_t end, double* tile, float* scratch, RankedList* lists);

}  // namespace granule
