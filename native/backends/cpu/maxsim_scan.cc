#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "backends/cpu/cpu_backend.h"
#include "backends/cpu/maxsim_scorer.h"
#include "backends/cpu/widened_queries.h"
#include "core/ranked_list.h"
#include "core/score.h"

namespace granule {
namespace {

/// Documents between two looks at the cancel flag.
constexpr std::size_t kDocumentsPerLook = 16;

}  // namespace

granule_result maxsim_scan(const CpuBackend& backend, const granule_search& search, granule_hits& hits) {
  const std::size_t query_count = search.query_count;
  const WidenedQueries queries(search.query_vectors, search.query_offsets[query_count], search.dimension,
                               static_cast<Metric>(search.metric));
  const std::size_t documents = search.candidates != nullptr ? search.candidate_count : search.row_count;
  const std::size_t wanted = search.threads == 1 ? 1 : (8 * search.threads + query_count - 1) / query_count;
  const std::size_t slices = std::max<std::size_t>(1, std::min(wanted, documents));
  std::vector<RankedList> partial(query_count * slices);
  std::atomic<bool> stopped{false};

  backend.pool.parallel_for(query_count * slices, search.threads, [&](std::size_t task) {
    const std::size_t slice = task % slices;
    const std::size_t query = task / slices;
    const std::size_t first_vector = search.query_offsets[query];
    MaxsimScorer scorer(backend, search, queries, first_vector,
                        search.query_offsets[query + 1] - first_vector);
    RankedList list(search.k);
    const std::size_t begin = documents * slice / slices;
    const std::size_t end = documents * (slice + 1) / slices;
    const granule_segment* segment = nullptr;
    for (std::size_t i = begin; i < end; ++i) {
      if ((i - begin) % kDocumentsPerLook == 0) {
        if (stopped.load(std::memory_order_relaxed)) return;
        if (search.cancelled(search.cancelled_context) != 0) {
          stopped.store(true, std::memory_order_relaxed);
          return;
        }
      }
      const uint64_t row = search.candidates != nullptr ? search.candidates[i] : i;
      if (!allowed(search.filter, row)) continue;
      if (segment == nullptr || row >= segment->first_row + segment->row_count)
        segment = &segment_of(search, row);
      list.offer(scorer.score(*segment, row - segment->first_row), static_cast<uint32_t>(row));
    }
    partial[task] = std::move(list);
  });
  if (stopped.load()) return GRANULE_CANCELLED;

  for (std::size_t query = 0; query < query_count; ++query) {
    RankedList& best = partial[query * slices];
    for (std::size_t slice = 1; slice < slices; ++slice) best.merge(partial[query * slices + slice]);
    hits.thresholds[query] = -std::numeric_limits<float>::infinity();
    hits.rows_rescored[query] = static_cast<uint32_t>(documents);
    hits.counts[query] = best.drain(hits.rows + query * search.k, hits.scores + query * search.k);
  }
  explain_hits(backend, search, queries, hits);
  return GRANULE_OK;
}

}  // namespace granule
