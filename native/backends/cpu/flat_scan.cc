#include <algorithm>
#include <atomic>
#include <limits>
#include <vector>

#include "backends/cpu/cpu_backend.h"
#include "backends/cpu/exact_rows.h"
#include "backends/cpu/stored_rows.h"
#include "backends/cpu/widened_queries.h"
#include "core/ranked_list.h"
#include "core/score.h"

namespace granule {
namespace {

/// Queries that share one pass over the rows: their float64 forms stay in the second-level cache.
constexpr std::size_t kQueryGroup = 32;
/// Bytes of rows between two looks at the cancel flag.
constexpr std::size_t kBlockBytes = 1 << 18;

/// A run of consecutive rows of one segment.
struct RowBlock {
  const granule_segment* segment;
  std::size_t begin;
  std::size_t end;
};

std::vector<RowBlock> divide_rows(const granule_search& search) {
  const std::size_t rows_per_block = std::max<std::size_t>(
      kExactRowTile, kBlockBytes / (sizeof(float) * search.dimension) / kExactRowTile * kExactRowTile);
  std::vector<RowBlock> blocks;
  for (uint64_t s = 0; s < search.segment_count; ++s) {
    const granule_segment& segment = search.segments[s];
    for (std::size_t begin = 0; begin < segment.row_count; begin += rows_per_block) {
      blocks.push_back({&segment, begin, std::min<std::size_t>(segment.row_count, begin + rows_per_block)});
    }
  }
  return blocks;
}

}  // namespace

granule_result flat_scan(const CpuBackend& backend, const granule_search& search, granule_hits& hits) {
  const std::size_t query_count = search.query_count;
  const WidenedQueries queries(search.query_vectors, query_count, search.dimension,
                               static_cast<Metric>(search.metric));
  const std::vector<RowBlock> blocks = divide_rows(search);
  // A task is one group of queries over one slice of the blocks: one query divides the rows, many divide the
  // queries.
  const std::size_t groups = (query_count + kQueryGroup - 1) / kQueryGroup;
  const std::size_t wanted = search.threads == 1 ? 1 : (4 * search.threads + groups - 1) / groups;
  const std::size_t slices = std::max<std::size_t>(1, std::min(wanted, blocks.size()));
  std::vector<std::vector<RankedList>> partial(groups * slices);
  std::atomic<bool> stopped{false};

  backend.pool.parallel_for(groups * slices, search.threads, [&](std::size_t task) {
    const std::size_t slice = task % slices;
    const std::size_t first_query = task / slices * kQueryGroup;
    const std::size_t count = std::min(kQueryGroup, query_count - first_query);
    std::vector<RankedList> lists;
    lists.reserve(count);
    for (std::size_t q = 0; q < count; ++q) lists.emplace_back(search.k);
    AlignedBuffer<double> tile(count * kExactRowTile);
    AlignedBuffer<float> scratch(scratch_size(search, kExactRowTile));
    for (std::size_t b = blocks.size() * slice / slices; b < blocks.size() * (slice + 1) / slices; ++b) {
      if (stopped.load(std::memory_order_relaxed)) return;
      if (search.cancelled(search.cancelled_context) != 0) {
        stopped.store(true, std::memory_order_relaxed);
        return;
      }
      exact_rows(backend, search, queries, first_query, count, *blocks[b].segment, blocks[b].begin,
                 blocks[b].end, tile.data(), scratch.data(), lists.data());
    }
    partial[task] = std::move(lists);
  });
  if (stopped.load()) return GRANULE_CANCELLED;

  for (std::size_t q = 0; q < query_count; ++q) {
    const std::size_t group = q / kQueryGroup;
    RankedList& best = partial[group * slices][q % kQueryGroup];
    for (std::size_t slice = 1; slice < slices; ++slice)
      best.merge(partial[group * slices + slice][q % kQueryGroup]);
    hits.thresholds[q] = -std::numeric_limits<float>::infinity();
    hits.rows_rescored[q] = static_cast<uint32_t>(search.row_count);
    hits.counts[q] = best.drain(hits.rows + q * search.k, hits.scores + q * search.k);
  }
  return GRANULE_OK;
}

}  // namespace granule
