#include "index/sparse/sparse_search.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <limits>
#include <vector>

#include "core/ranked_list.h"
#include "index/sparse/block_scorer.h"
#include "index/top_k_softmax.h"

namespace granule {
namespace {

/// Blocks that one task visits, where one query is divided among threads: about a quarter of a million rows.
constexpr uint64_t kPartBlocks = 4096;

/// The rows that a search may return: the filter's, without the removed ones. Empty allows all.
std::vector<uint8_t> allowed_rows(const SparseSnapshot& snapshot, const SparseSearchOptions& options) {
  std::vector<uint8_t> allowed;
  if (options.filter != nullptr) {
    // Rows may have been added since the caller sized the bitset.
    allowed.assign((snapshot.row_count + 7) / 8, 0);
    std::copy_n(options.filter, std::min(options.filter_bytes, allowed.size()), allowed.begin());
    if (snapshot.live != nullptr) {
      for (std::size_t i = 0; i < allowed.size(); ++i) allowed[i] &= (*snapshot.live)[i];
    }
  } else if (snapshot.live != nullptr) {
    allowed = *snapshot.live;
  }
  if (!allowed.empty()) allowed.resize(allowed.size() + BlockScorer::kBitsetPadding, 0);
  return allowed;
}

/// A run of blocks of one segment.
struct Part {
  const PlacedSegment* placed;
  uint64_t first_block;
  uint64_t end_block;
};

/// The segments, largest first: what is found there leaves out most of the others.
std::vector<Part> divide(const SparseSnapshot& snapshot, uint64_t most_blocks) {
  std::vector<const PlacedSegment*> placed;
  for (const PlacedSegment& each : snapshot.segments) placed.push_back(&each);
  std::stable_sort(placed.begin(), placed.end(), [](const PlacedSegment* a, const PlacedSegment* b) {
    return a->segment->posting_count() > b->segment->posting_count();
  });
  std::vector<Part> parts;
  for (const PlacedSegment* each : placed) {
    const uint64_t blocks = each->segment->block_count();
    for (uint64_t begin = 0; begin < blocks; begin += most_blocks)
      parts.push_back({each, begin, std::min(blocks, begin + most_blocks)});
  }
  return parts;
}

/// Copies the queries, and checks the copy: the caller's arrays may change.
Status read_queries(const SparseRows& queries, const std::vector<uint64_t>& offsets,
                    std::vector<QueryTerm>* out) {
  out->reserve(offsets.back());
  for (uint64_t query = 0; query < queries.row_count; ++query) {
    int64_t previous = kNoTerm;
    for (uint64_t i = offsets[query]; i < offsets[query + 1]; ++i) {
      const uint32_t term = queries.terms[i];
      const float weight = queries.values[i];
      if (Status status = check_entry(query, previous, term, weight, false); !status.ok()) return status;
      out->push_back({term, static_cast<double>(weight)});
      previous = term;
    }
  }
  return Status::success();
}

}  // namespace

Status search_sparse(Engine& engine, const SparseSnapshot& snapshot, const SparseRows& queries,
                     const SparseSearchOptions& options, const CancelFlag& cancel, const Hits& hits) {
  std::vector<uint64_t> offsets;
  if (Status status = row_offsets(queries, &offsets); !status.ok()) return status;
  std::vector<QueryTerm> terms;
  if (Status status = read_queries(queries, offsets, &terms); !status.ok()) return status;
  const std::vector<uint8_t> allowed = allowed_rows(snapshot, options);
  const uint64_t query_count = queries.row_count;
  const unsigned threads = std::max(1u, options.threads);

  // Queries are divided among the threads; where those are fewer, each query's blocks too.
  const bool divided = query_count < threads;
  const std::vector<Part> parts = divide(snapshot, divided ? kPartBlocks : SparseSegment::kMaxRows);
  const std::size_t tasks_per_query = divided ? parts.size() : 1;
  const std::size_t tasks = query_count * tasks_per_query;
  const std::size_t slots = std::min<std::size_t>(threads, std::max<std::size_t>(1, tasks));
  std::vector<RankedList> lists(query_count * (divided ? slots : 1), RankedList(options.k));
  std::vector<QueryProgress> progress(query_count);
  std::vector<BlockScorer> scorers(
      slots, BlockScorer(options.saturation, allowed.empty() ? nullptr : allowed.data()));
  engine.pool.parallel_for_slots(
      tasks, static_cast<unsigned>(slots), [&](std::size_t task, std::size_t slot) {
        const std::size_t query = task / tasks_per_query;
        const QuerySpan span{terms.data() + offsets[query], terms.data() + offsets[query + 1]};
        RankedList& list = lists[divided ? query * slots + slot : query];
        const std::size_t first = divided ? task % tasks_per_query : 0;
        const std::size_t end = divided ? first + 1 : parts.size();
        for (std::size_t p = first; p < end && !cancel.cancelled(); ++p) {
          scorers[slot].search(*parts[p].placed, parts[p].first_block, parts[p].end_block, span, cancel,
                               &progress[query], &list);
        }
      });
  if (cancel.cancelled()) return Status::failure(StatusCode::aborted, "the search was aborted");

  const std::size_t lists_per_query = divided ? slots : 1;
  for (std::size_t query = 0; query < query_count; ++query) {
    RankedList& list = lists[query * lists_per_query];
    for (std::size_t i = 1; i < lists_per_query; ++i) list.merge(lists[query * lists_per_query + i]);
    hits.thresholds[query] = list.threshold();
    float* const scores = hits.scores + query * options.k;
    hits.counts[query] = list.drain(hits.rows + query * options.k, scores);
    hits.rows_rescored[query] = progress[query].rows_scored.load(std::memory_order_relaxed);
    if (hits.probabilities == nullptr) continue;
    float* const probabilities = hits.probabilities + query * options.k;
    std::fill_n(probabilities, options.k, 0.0f);
    softmax_of_ranked(*engine.kernels.table, scores, hits.counts[query], options.temperature, probabilities);
  }
  return Status::success();
}

}  // namespace granule
