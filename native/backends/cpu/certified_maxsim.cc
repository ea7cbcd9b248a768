#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>
#include <mutex>
#include <vector>

#include "backends/coded_queries.h"
#include "backends/cpu/cpu_backend.h"
#include "backends/cpu/document_bounds.h"
#include "backends/cpu/document_refiner.h"
#include "backends/cpu/maxsim_scorer.h"
#include "backends/cpu/widened_queries.h"
#include "core/ranked_list.h"

// Exact MaxSim from int8 codes, in one pass. For each document the codes give an upper bound of every
// similarity (document_bounds.h), and so of the score. Where that reaches theta, the k-th best score so far,
// the document's score is found from a few exact similarities (document_refiner.h) while the bounds are in
// the cache, and may raise theta. A document that is left out scores, rounded, strictly less than k others.

namespace granule {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
/// Query vectors that share one pass over the codes; a query with more has a pass of its own.
constexpr std::size_t kGroupVectors = 64;
/// Bounds of one chunk of documents: they stay in the second-level cache. A longer document is a chunk by
/// itself.
constexpr std::size_t kChunkBounds = std::size_t{1} << 15;
/// A document with more bounds than this is scored in full rather than given the memory.
constexpr std::size_t kMostBounds = std::size_t{1} << 24;
/// Documents whose vectors come from memory while others are scored.
constexpr std::size_t kFetchAhead = 2;
/// Query vectors of the documents that may wait in one task for one query, so that they take little memory.
constexpr std::size_t kMostWaiting = std::size_t{1} << 17;
/// Products of a task, at most about: some milliseconds.
constexpr uint64_t kTaskProducts = uint64_t{1} << 30;
/// A task has at least about as many document vectors.
constexpr std::size_t kTaskRows = 1024;

/// Consecutive queries that share a pass.
struct QueryGroup {
  std::size_t begin;
  std::size_t end;
  std::size_t first_vector;
  std::size_t vector_count;
  /// Whether codes serve them.
  bool coded;
};

/// Consecutive documents of a segment.
struct Chunk {
  const granule_segment* segment;
  std::size_t begin;
  std::size_t end;
};

/// What all tasks know of a query.
struct Best {
  std::mutex mutex;
  RankedList list;
  /// The k-th best score.
  std::atomic<float> threshold{-kInfinity};
  std::atomic<uint32_t> scored{0};
};

/// A slice of the documents for a group of queries.
struct Task {
  const QueryGroup* group;
  std::size_t begin;
  std::size_t end;
  /// Per query of the group: documents that are unlikely to be among the best but not surely out of them.
  std::vector<Shortlist> waiting;
};

class CertifiedMaxsim {
 public:
  CertifiedMaxsim(const CpuBackend& backend, const granule_search& search)
      : backend_(backend),
        search_(search),
        widened_(search.query_vectors, search.query_offsets[search.query_count], search.dimension,
                 static_cast<Metric>(search.metric)),
        coded_(search.query_vectors, search.query_offsets[search.query_count], search.dimension,
               static_cast<Metric>(search.metric)),
        documents_(search.candidates != nullptr ? search.candidate_count : search.row_count),
        best_(std::make_unique<Best[]>(search.query_count)) {
    for (std::size_t q = 0; q < search.query_count; ++q) best_[q].list = RankedList(search.k);
    group_queries();
  }

  granule_result run(granule_hits& hits) {
    const std::size_t slices = slice_count();
    std::vector<Task> tasks(groups_.size() * slices);
    backend_.pool.parallel_for(tasks.size(), search_.threads, [&](std::size_t i) {
      const std::size_t slice = i % slices;
      tasks[i] = {&groups_[i / slices], documents_ * slice / slices, documents_ * (slice + 1) / slices, {}};
      if (tasks[i].group->coded) {
        scan(&tasks[i]);
      } else {
        scan_plainly(tasks[i]);
      }
    });
    // With the thresholds that all documents gave, most that wait are out.
    backend_.pool.parallel_for(tasks.size(), search_.threads, [&](std::size_t i) { settle(&tasks[i]); });
    if (stopped_.load()) return GRANULE_CANCELLED;
    for (std::size_t q = 0; q < search_.query_count; ++q) {
      hits.thresholds[q] = best_[q].threshold.load();
      hits.rows_rescored[q] = best_[q].scored.load();
      hits.counts[q] = best_[q].list.drain(hits.rows + q * search_.k, hits.scores + q * search_.k);
    }
    if (hits.matched_vectors != nullptr) explain(hits);
    return GRANULE_OK;
  }

 private:
  void group_queries() {
    for (std::size_t q = 0; q < search_.query_count; ++q) {
      const std::size_t first_vector = search_.query_offsets[q];
      const std::size_t vector_count = search_.query_offsets[q + 1] - first_vector;
      bool coded = true;
      for (std::size_t v = first_vector; v < first_vector + vector_count; ++v)
        coded = coded && coded_.usable[v] != 0;
      if (!groups_.empty() && coded && groups_.back().coded &&
          groups_.back().vector_count + vector_count <= kGroupVectors) {
        groups_.back().end = q + 1;
        groups_.back().vector_count += vector_count;
      } else {
        groups_.push_back({q, q + 1, first_vector, vector_count, coded});
      }
    }
  }

  std::size_t slice_count() const {
    if (search_.threads == 1) return 1;
    uint64_t rows = 0;
    for (uint64_t s = 0; s < search_.segment_count; ++s) {
      rows += search_.segments[s].row_offsets[search_.segments[s].row_count];
    }
    const uint64_t rows_of_documents = rows / std::max<uint64_t>(1, search_.row_count) * documents_;
    const uint64_t products =
        rows_of_documents * search_.query_offsets[search_.query_count] / groups_.size() * search_.dimension;
    const std::size_t for_threads = (8 * search_.threads + groups_.size() - 1) / groups_.size();
    const std::size_t wanted = std::max<std::size_t>(for_threads, products / kTaskProducts);
    return std::max<std::size_t>(1,
                                 std::min<std::size_t>({wanted, rows_of_documents / kTaskRows, documents_}));
  }

  bool stop_asked() {
    if (stopped_.load(std::memory_order_relaxed)) return true;
    if (search_.cancelled(search_.cancelled_context) == 0) return false;
    stopped_.store(true, std::memory_order_relaxed);
    return true;
  }

  uint64_t row_at(std::size_t i) const { return search_.candidates != nullptr ? search_.candidates[i] : i; }

  /// The next documents to score among places `*at` up to `end`; `*at` moves behind them.
  Chunk next_chunk(std::size_t most_vectors, const granule_segment* segment, std::size_t* at,
                   std::size_t end) const {
    Chunk chunk{segment, 0, 0};
    for (; *at < end; ++*at) {
      const uint64_t row = row_at(*at);
      if (!allowed(search_.filter, row)) {
        if (chunk.begin != chunk.end) break;
        continue;
      }
      if (chunk.begin == chunk.end) {
        if (chunk.segment == nullptr || row >= chunk.segment->first_row + chunk.segment->row_count)
          chunk.segment = &segment_of(search_, row);
        chunk.begin = chunk.end = row - chunk.segment->first_row;
      }
      const std::size_t index = row - chunk.segment->first_row;
      const uint64_t* offsets = chunk.segment->row_offsets;
      if (index != chunk.end || index == chunk.segment->row_count) break;
      if (index != chunk.begin && offsets[index + 1] - offsets[chunk.begin] > most_vectors) break;
      ++chunk.end;
    }
    return chunk;
  }

  std::vector<DocumentRefiner> refiners(const QueryGroup& group, const DocumentBounds& bounds) const {
    std::vector<DocumentRefiner> out;
    out.reserve(group.end - group.begin);
    for (std::size_t q = group.begin; q < group.end; ++q) {
      const std::size_t first = search_.query_offsets[q];
      out.emplace_back(backend_, search_, widened_, first, search_.query_offsets[q + 1] - first, bounds,
                       first - group.first_vector);
    }
    return out;
  }

  void scan(Task* task) {
    const QueryGroup& group = *task->group;
    DocumentBounds bounds(backend_, search_, coded_, group.first_vector, group.vector_count);
    std::vector<DocumentRefiner> refiner = refiners(group, bounds);
    // Documents that are likely to be among the best: they are scored when the next chunk's bounds have been
    // computed, and their vectors come from memory meanwhile.
    std::vector<Shortlist> likely(group.end - group.begin);
    task->waiting.resize(likely.size());
    const granule_segment* segment = nullptr;
    for (std::size_t at = task->begin; at < task->end;) {
      if (stop_asked()) return;
      const Chunk chunk = next_chunk(kChunkBounds / group.vector_count, segment, &at, task->end);
      if (chunk.begin == chunk.end) break;
      segment = chunk.segment;
      const uint64_t* offsets = segment->row_offsets;
      if ((offsets[chunk.end] - offsets[chunk.begin]) * group.vector_count > kMostBounds) {
        for (std::size_t q = group.begin; q < group.end; ++q) score_plainly(q, *segment, chunk.begin);
        continue;
      }
      bounds.compute(*segment, chunk.begin, chunk.end);
      for (std::size_t i = 0; i < likely.size(); ++i) {
        score(group.begin + i, &likely[i], &refiner[i]);
        pick(group.begin + i, chunk, &refiner[i], &likely[i], &task->waiting[i]);
      }
    }
    for (std::size_t i = 0; i < likely.size(); ++i) score(group.begin + i, &likely[i], &refiner[i]);
  }

  /// Shortlists those documents of a chunk that may be among a query's best.
  void pick(std::size_t query, const Chunk& chunk, DocumentRefiner* refiner, Shortlist* likely,
            Shortlist* waiting) {
    const float threshold = best_[query].threshold.load(std::memory_order_relaxed);
    for (std::size_t d = chunk.begin; d < chunk.end; ++d) {
      const float upper = refiner->upper(d);
      if (upper < threshold) continue;
      refiner->shortlist(d, upper, waiting);
      if (waiting->documents.back().estimate < threshold) continue;
      likely->append_last_of(waiting);
      refiner->fetch(*likely, likely->documents.back());
    }
    if (waiting->matches.size() + waiting->documents.size() >= kMostWaiting) score(query, waiting, refiner);
  }

  /// Scores shortlisted documents, the best first, as long as they may be among a query's best.
  void score(std::size_t query, Shortlist* list, DocumentRefiner* refiner) {
    std::vector<Shortlist::Document>& documents = list->documents;
    std::sort(documents.begin(), documents.end(),
              [](const Shortlist::Document& a, const Shortlist::Document& b) { return a.upper > b.upper; });
    for (std::size_t i = 0; i < documents.size(); ++i) {
      if (stop_asked()) return;
      if (i + kFetchAhead < documents.size()) refiner->fetch(*list, documents[i + kFetchAhead]);
      const float threshold = best_[query].threshold.load(std::memory_order_relaxed);
      if (documents[i].upper < threshold) break;
      float score;
      if (refiner->score(*list, documents[i], threshold, &score))
        offer(query, score, documents[i].segment->first_row + documents[i].index);
    }
    list->clear();
  }

  void settle(Task* task) {
    if (task->waiting.empty() || stop_asked()) return;
    const QueryGroup& group = *task->group;
    const DocumentBounds bounds(backend_, search_, coded_, group.first_vector, group.vector_count);
    std::vector<DocumentRefiner> refiner = refiners(group, bounds);
    for (std::size_t i = 0; i < refiner.size(); ++i) score(group.begin + i, &task->waiting[i], &refiner[i]);
  }

  void scan_plainly(const Task& task) {
    const granule_segment* segment = nullptr;
    for (std::size_t at = task.begin; at < task.end;) {
      if (stop_asked()) return;
      const Chunk chunk = next_chunk(0, segment, &at, task.end);
      if (chunk.begin == chunk.end) return;
      segment = chunk.segment;
      score_plainly(task.group->begin, *segment, chunk.begin);
    }
  }

  void score_plainly(std::size_t query, const granule_segment& segment, std::size_t document) {
    const std::size_t first = search_.query_offsets[query];
    MaxsimScorer scorer(backend_, search_, widened_, first, search_.query_offsets[query + 1] - first);
    offer(query, scorer.score(segment, document), segment.first_row + document);
  }

  void offer(std::size_t query, float score, uint64_t row) {
    Best& best = best_[query];
    best.scored.fetch_add(1, std::memory_order_relaxed);
    const std::lock_guard<std::mutex> lock(best.mutex);
    best.list.offer(score, static_cast<uint32_t>(row));
    best.threshold.store(best.list.threshold(), std::memory_order_relaxed);
  }

  /// Finds the matches of the hits again.
  void explain(granule_hits& hits) {
    std::vector<const QueryGroup*> group_of;
    for (const QueryGroup& group : groups_) group_of.resize(group.end, &group);
    backend_.pool.parallel_for(search_.query_count * search_.k, search_.threads, [&](std::size_t task) {
      const std::size_t query = task / search_.k;
      const std::size_t place = task % search_.k;
      if (place >= hits.counts[query]) {
        write_matches(search_, query, place, nullptr, nullptr, hits);
        return;
      }
      const std::size_t first = search_.query_offsets[query];
      const std::size_t count = search_.query_offsets[query + 1] - first;
      const uint32_t row = hits.rows[task];
      const granule_segment& segment = segment_of(search_, row);
      const std::size_t index = row - segment.first_row;
      if (!group_of[query]->coded ||
          (segment.row_offsets[index + 1] - segment.row_offsets[index]) * count > kMostBounds) {
        MaxsimScorer scorer(backend_, search_, widened_, first, count);
        scorer.match(segment, index, 0);
        write_matches(search_, query, place, scorer.best().data(), scorer.best_vector().data(), hits);
        return;
      }
      DocumentBounds bounds(backend_, search_, coded_, first, count);
      bounds.compute(segment, index, index + 1);
      DocumentRefiner refiner(backend_, search_, widened_, first, count, bounds, 0);
      Shortlist list;
      refiner.shortlist(index, refiner.upper(index), &list);
      refiner.fetch(list, list.documents[0]);
      float score;
      refiner.score(list, list.documents[0], -kInfinity, &score);
      write_matches(search_, query, place, refiner.best().data(), refiner.best_vector().data(), hits);
    });
  }

  const CpuBackend& backend_;
  const granule_search& search_;
  const WidenedQueries widened_;
  const CodedQueries coded_;
  const std::size_t documents_;
  std::vector<QueryGroup> groups_;
  std::unique_ptr<Best[]> best_;
  std::atomic<bool> stopped_{false};
};

}  // namespace

bool codes_serve_documents(const granule_search& search) {
  for (uint64_t s = 0; s < search.segment_count; ++s) {
    if (search.segments[s].coded_vector_count != 0) return true;
  }
  return false;
}

granule_result certified_maxsim(const CpuBackend& backend, const granule_search& search, granule_hits& hits) {
  return CertifiedMaxsim(backend, search).run(hits);
}

}  // namespace granule
