#include "backends/cpu/exact_rows.h"

#include <algorithm>

#include "backends/cpu/stored_rows.h"

namespace granule {
void exact_rows(const CpuBackend& backend, const granule_search& search, const WidenedQueries& queries,
                std::size_t first_query, std::size_t query_count, const granule_segment& segment,
                std::size_t first, std::size_t end, double* tile, float* scratch, RankedList* lists) {
  for (std::size_t begin = first; begin < end; begin += kExactRowTile) {
    const std::size_t count = std::min(kExactRowTile, end - begin);
    const uint64_t first_row = segment.first_row + begin;
    if (!any_allowed(search.filter, first_row, count)) continue;
    backend.kernels.inner_product(queries.vector(first_query), query_count, queries.stride,
                                  stored_rows(backend, search, segment, begin, count, scratch), count,
                                  search.dimension, search.dimension, tile, kExactRowTile);
    for (std::size_t q = 0; q < query_count; ++q) {
      const double query_squared_norm = queries.squared_norm(first_query + q);
      float threshold = lists[q].threshold();
      for (std::size_t r = 0; r < count; ++r) {
        const float score =
            row_score(search, segment, begin + r, tile[q * kExactRowTile + r], query_squared_norm);
        if (score >= threshold && allowed(search.filter, first_row + r)) {
          lists[q].offer(score, static_cast<uint32_t>(first_row + r));
          threshold = lists[q].threshold();
        }
      }
    }
  }
}

}  // namespace granule
