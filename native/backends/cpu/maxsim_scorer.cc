#include "backends/cpu/maxsim_scorer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "backends/cpu/stored_rows.h"
#include "core/ranked_list.h"

namespace granule {
namespace {

/// Document vectors whose similarities are held at a time.
constexpr std::size_t kVectorTile = 32;

/// Writes the matches of one query's hits.
void explain(const CpuBackend& backend, const granule_search& search, const WidenedQueries& queries,
             std::size_t query, granule_hits& hits) {
  const std::size_t first_vector = search.query_offsets[query];
  MaxsimScorer scorer(backend, search, queries, first_vector, search.query_offsets[query + 1] - first_vector);
  for (std::size_t place = 0; place < search.k; ++place) {
    if (place >= hits.counts[query]) {
      write_matches(search, query, place, nullptr, nullptr, hits);
      continue;
    }
    const uint32_t row = hits.rows[query * search.k + place];
    const granule_segment& segment = segment_of(search, row);
    scorer.match(segment, row - segment.first_row, 0);
    write_matches(search, query, place, scorer.best().data(), scorer.best_vector().data(), hits);
  }
}

}  // namespace

MaxsimScorer::MaxsimScorer(const CpuBackend& backend, const granule_search& search,
                           const WidenedQueries& queries, std::size_t first_vector, std::size_t vector_count)
    : backend_(backend),
      search_(search),
      metric_(static_cast<Metric>(search.metric)),
      queries_(queries),
      first_vector_(first_vector),
      best_(vector_count),
      best_vector_(vector_count),
      tile_(vector_count * kVectorTile),
      scratch_(scratch_size(search, kVectorTile)) {}

float MaxsimScorer::score(const granule_segment& segment, std::size_t index) {
  match(segment, index, 0);
  return sum_of_maxima(segment, index, best_.data(), best_.size());
}

void MaxsimScorer::match(const granule_segment& segment, std::size_t index, std::size_t from) {
  const std::size_t begin = segment.row_offsets[index];
  const std::size_t count = segment.row_offsets[index + 1] - begin;
  std::fill(best_.begin(), best_.end(), -std::numeric_limits<float>::infinity());
  std::fill(best_vector_.begin(), best_vector_.end(), kNoRow);
  for (std::size_t j = from; j < count; j += kVectorTile) {
    const std::size_t width = std::min(kVectorTile, count - j);
    const float* vectors = stored_rows(backend_, search_, segment, begin + j, width, scratch_.data());
    backend_.kernels.inner_product(queries_.vector(first_vector_), best_.size(), queries_.stride, vectors,
                                   width, std::size_t{search_.dimension}, std::size_t{search_.dimension},
                                   tile_.data(), kVectorTile);
    for (std::size_t i = 0; i < best_.size(); ++i) {
      double* line = tile_.data() + i * kVectorTile;
      if (metric_ == Metric::squared_l2) {
        for (std::size_t r = 0; r < width; ++r) {
          line[r] = score_of(metric_, line[r], segment.squared_norms[begin + j + r],
                             queries_.squared_norm(first_vector_ + i));
        }
      }
      backend_.kernels.maxsim_fold(line, width, static_cast<uint32_t>(j), &best_[i], &best_vector_[i]);
    }
  }
}

float sum_of_maxima(const granule_segment& segment, std::size_t index, const float* best, std::size_t count) {
  double sum = 0.0;
  for (std::size_t i = 0; i < count; ++i) sum += static_cast<double>(best[i]);
  if (segment.row_biases != nullptr) sum += static_cast<double>(segment.row_biases[index]);
  // Similarities that overflowed float32 both ways have no sum; such a document ranks last.
  return std::isnan(sum) ? -std::numeric_limits<float>::infinity() : static_cast<float>(sum);
}

const granule_segment& segment_of(const granule_search& search, uint64_t row) {
  const granule_segment* end = search.segments + search.segment_count;
  return *(
      std::upper_bound(search.segments, end, row,
                       [](uint64_t r, const granule_segment& segment) { return r < segment.first_row; }) -
      1);
}

void write_matches(const granule_search& search, std::size_t query, std::size_t place, const float* best,
                   const uint32_t* best_vector, granule_hits& hits) {
  const std::size_t first_vector = search.query_offsets[query];
  const std::size_t vector_count = search.query_offsets[query + 1] - first_vector;
  const std::size_t out = search.k * first_vector + place * vector_count;
  if (best == nullptr) {
    std::fill_n(hits.matched_vectors + out, vector_count, kNoRow);
    std::fill_n(hits.matched_similarities + out, vector_count, -std::numeric_limits<float>::infinity());
    return;
  }
  std::copy_n(best_vector, vector_count, hits.matched_vectors + out);
  std::copy_n(best, vector_count, hits.matched_similarities + out);
}

void explain_hits(const CpuBackend& backend, const granule_search& search, const WidenedQueries& queries,
                  granule_hits& hits) {
  if (hits.matched_vectors == nullptr) return;
  backend.pool.parallel_for(search.query_count, search.threads,
                            [&](std::size_t query) { explain(backend, search, queries, query, hits); });
}

}  // namespace granule
