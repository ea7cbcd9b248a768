#include "backends/cuda/flat_search.h"

#include <algorithm>
#include <limits>

#include "backends/cuda/certified_scan.h"
#include "backends/cuda/plain_scan.h"
#include "backends/cuda/row_search.h"
#include "backends/cuda/small_batch.h"

namespace granule::cuda {

QueryResult empty_result(uint32_t k) { return {RankedList(k), -std::numeric_limits<float>::infinity(), 0}; }

std::vector<QueryResult> search_rows(Device& device, const granule_search& request,
                                     const std::vector<const granule_segment*>& segments) {
  device.use();
  RowSearch search(device, request, segments);
  std::vector<QueryResult> results;
  results.reserve(request.query_count);
  for (uint64_t q = 0; q < request.query_count; ++q) results.push_back(empty_result(request.k));
  if (search.tables().row_count == 0) return results;
  // With k of this share of the rows nearly all are candidates.
  const bool coded = search.tables().in_range && request.k < search.tables().row_count / 8;
  const uint32_t at_a_time = coded ? certified_queries_at_a_time(search) : kPlainQueries;
  for (uint64_t first = 0; first < request.query_count; first += at_a_time) {
    const auto count = static_cast<uint32_t>(std::min<uint64_t>(at_a_time, request.query_count - first));
    if (coded) {
      if (!is_small_batch(search, count)) {
        scan_certified(search, first, count, &results);
        continue;
      }
      for (const uint64_t q : scan_small_batch(search, first, count, &results))
        scan_certified(search, q, 1, &results);
    } else {
      scan_plainly(search, first, count, &results);
    }
  }
  return results;
}

}  // namespace granule::cuda
