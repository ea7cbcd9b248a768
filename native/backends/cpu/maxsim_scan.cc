#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "backends/cpu/cpu_backend.h"
#include "backends/cpu/widened_queries.h"
#include "core/ranked_list.h"
#include "core/score.h"

namespace granule {
namespace {

/// Document vectors whose similarities are held at a time.
constexpr std::size_t kVectorTile = 32;
/// Documents between two looks at the cancel flag.
constexpr std::size_t kDocumentsPerLook = 16;

/// One query's vectors and the running maxima over one document.
class MaxsimScorer {
 public:
  MaxsimScorer(const CpuBackend& backend, const granule_search& search, const WidenedQueries& queries,
               std::size_t first_vector, std::size_t vector_count)
      : kernels_(backend.kernels),
        metric_(static_cast<Metric>(search.metric)),
        dimension_(search.dimension),
        queries_(queries),
        first_vector_(first_vector),
        best_(vector_count),
        best_vector_(vector_count),
        tile_(vector_count * kVectorTile) {}

  /// The reference MaxSim of document `index` of `segment`; leaves the maxima in best() and best_vector().
  float score(const granule_segment& segment, std::size_t index) {
    const std::size_t begin = segment.row_offsets[index];
    const std::size_t count = segment.row_offsets[index + 1] - begin;
    std::fill(best_.begin(), best_.end(), -std::numeric_limits<float>::infinity());
    std::fill(best_vector_.begin(), best_vector_.end(), kNoRow);
    for (std::size_t j = 0; j < count; j += kVectorTile) {
      const std::size_t width = std::min(kVectorTile, count - j);
      kernels_.inner_product(queries_.vector(first_vector_), best_.size(), queries_.stride,
                             segment.vectors + (begin + j) * dimension_, width, dimension_, dimension_,
                             tile_.data(), kVectorTile);
      for (std::size_t i = 0; i < best_.size(); ++i) {
        double* line = tile_.data() + i * kVectorTile;
        if (metric_ == Metric::squared_l2) {
          for (std::size_t r = 0; r < width; ++r) {
            line[r] = score_of(metric_, line[r], segment.squared_norms[begin + j + r],
                               queries_.squared_norm(first_vector_ + i));
          }
        }
        kernels_.maxsim_fold(line, width, static_cast<uint32_t>(j), &best_[i], &best_vector_[i]);
      }
    }
    double sum = 0.0;
    for (const float maximum : best_) sum += static_cast<double>(maximum);
    // Similarities that overflowed float32 both ways have no sum; such a document ranks last.
    return std::isnan(sum) ? -std::numeric_limits<float>::infinity() : static_cast<float>(sum);
  }

  const std::vector<float>& best() const { return best_; }
  const std::vector<uint32_t>& best_vector() const { return best_vector_; }

 private:
  const KernelTable& kernels_;
  Metric metric_;
  std::size_t dimension_;
  const WidenedQueries& queries_;
  std::size_t first_vector_;
  std::vector<float> best_;
  std::vector<uint32_t> best_vector_;
  AlignedBuffer<double> tile_;
};

const granule_segment& segment_of(const granule_search& search, uint64_t row) {
  const granule_segment* end = search.segments + search.segment_count;
  return *(
      std::upper_bound(search.segments, end, row,
                       [](uint64_t r, const granule_segment& segment) { return r < segment.first_row; }) -
      1);
}

/// Writes the matches of one query's hits; unused places get kNoRow and -infinity.
void explain(const CpuBackend& backend, const granule_search& search, const WidenedQueries& queries,
             std::size_t query, granule_hits& hits) {
  const std::size_t first_vector = search.query_offsets[query];
  const std::size_t vector_count = search.query_offsets[query + 1] - first_vector;
  MaxsimScorer scorer(backend, search, queries, first_vector, vector_count);
  for (std::size_t place = 0; place < search.k; ++place) {
    const std::size_t out = search.k * first_vector + place * vector_count;
    if (place >= hits.counts[query]) {
      std::fill_n(hits.matched_vectors + out, vector_count, kNoRow);
      std::fill_n(hits.matched_similarities + out, vector_count, -std::numeric_limits<float>::infinity());
      continue;
    }
    const uint32_t row = hits.rows[query * search.k + place];
    const granule_segment& segment = segment_of(search, row);
    scorer.score(segment, row - segment.first_row);
    std::copy(scorer.best_vector().begin(), scorer.best_vector().end(), hits.matched_vectors + out);
    std::copy(scorer.best().begin(), scorer.best().end(), hits.matched_similarities + out);
  }
}

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
  if (hits.matched_vectors != nullptr) {
    backend.pool.parallel_for(query_count, search.threads,
                              [&](std::size_t query) { explain(backend, search, queries, query, hits); });
  }
  return GRANULE_OK;
}

}  // namespace granule
