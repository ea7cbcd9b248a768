#include <algorithm>
#include <cstddef>
#include <vector>

#include "backends/coded_queries.h"
#include "backends/cpu/cpu_backend.h"
#include "backends/cpu/document_bounds.h"
#include "backends/cpu/document_refiner.h"
#include "backends/cpu/maxsim_scorer.h"
#include "backends/cpu/term_adder.h"
#include "backends/cpu/widened_queries.h"

// The sum of the terms of all documents (core/log_sum_exp.h), each from its reference MaxSim. Where codes
// bound a document's score so far below the greatest that its term is 0, it is left out; the scores of the
// others come from a few exact similarities each (document_refiner.h).

namespace granule {
namespace {

/// Bounds of one chunk of documents: they stay in the second-level cache.
constexpr std::size_t kChunkBounds = std::size_t{1} << 15;
/// A document with more bounds than this is scored in full rather than given the memory.
constexpr std::size_t kMostBounds = std::size_t{1} << 24;
/// Documents whose vectors come from memory while others are scored.
constexpr std::size_t kFetchAhead = 2;

/// Consecutive documents of a segment.
struct Chunk {
  const granule_segment* segment;
  std::size_t begin;
  std::size_t end;
};

class DocumentTerms {
 public:
  DocumentTerms(const CpuBackend& backend, const granule_term_search& request)
      : backend_(backend),
        request_(request),
        search_(*request.search),
        widened_(search_.query_vectors, search_.query_offsets[search_.query_count], search_.dimension,
                 static_cast<Metric>(search_.metric)),
        coded_(search_.query_vectors, search_.query_offsets[search_.query_count], search_.dimension,
               static_cast<Metric>(search_.metric)),
        places_(search_.candidates != nullptr ? search_.candidate_count : search_.row_count),
        stop_(search_) {}

  granule_result run(granule_term_sum* sums) {
    const std::size_t queries = search_.query_count;
    const std::size_t wanted = search_.threads == 1 ? 1 : (8 * search_.threads + queries - 1) / queries;
    const std::size_t slices = std::max<std::size_t>(1, std::min(wanted, places_));
    std::vector<TermSum> partial(queries * slices);
    backend_.pool.parallel_for(queries * slices, search_.threads, [&](std::size_t task) {
      const std::size_t slice = task % slices;
      add_slice(task / slices, places_ * slice / slices, places_ * (slice + 1) / slices, &partial[task]);
    });
    if (stop_.was_seen()) return GRANULE_CANCELLED;
    for (std::size_t q = 0; q < queries; ++q) {
      TermSum all;
      for (std::size_t slice = 0; slice < slices; ++slice) all.add(partial[q * slices + slice]);
      sums[q] = {all.low, all.high};
    }
    return GRANULE_OK;
  }

 private:
  uint64_t row_at(std::size_t place) const {
    return search_.candidates != nullptr ? search_.candidates[place] : place;
  }

  /// The next documents that the filter allows among places `*at` up to `end`; `*at` moves behind them.
  Chunk next_chunk(std::size_t most_vectors, std::size_t* at, std::size_t end) const {
    while (*at < end && !allowed(search_.filter, row_at(*at))) ++*at;
    if (*at == end) return {nullptr, 0, 0};
    const uint64_t first = row_at((*at)++);
    const granule_segment& segment = segment_of(search_, first);
    Chunk chunk{&segment, first - segment.first_row, first - segment.first_row + 1};
    const uint64_t* const offsets = segment.row_offsets;
    while (*at < end && chunk.end < segment.row_count && row_at(*at) == segment.first_row + chunk.end &&
           allowed(search_.filter, row_at(*at)) &&
           offsets[chunk.end + 1] - offsets[chunk.begin] <= most_vectors) {
      ++chunk.end;
      ++*at;
    }
    return chunk;
  }

  /// One query over places `begin` up to `end`.
  void add_slice(std::size_t query, std::size_t begin, std::size_t end, TermSum* sum) {
    const std::size_t first = search_.query_offsets[query];
    const std::size_t count = search_.query_offsets[query + 1] - first;
    const bool coded = codes_serve_documents(search_) &&
                       std::all_of(coded_.usable.begin() + static_cast<std::ptrdiff_t>(first),
                                   coded_.usable.begin() + static_cast<std::ptrdiff_t>(first + count),
                                   [](char usable) { return usable != 0; });
    const float least = least_score_with_term(request_.maxima[query], request_.temperature);
    TermAdder adder(backend_, request_, query, sum);
    MaxsimScorer scorer(backend_, search_, widened_, first, count);
    DocumentBounds bounds(backend_, search_, coded_, first, count);
    DocumentRefiner refiner(backend_, search_, widened_, first, count, bounds, 0);
    Shortlist list;
    for (std::size_t at = begin; at < end;) {
      if (stop_.look()) return;
      const Chunk chunk = next_chunk(coded ? kChunkBounds / count : 0, &at, end);
      if (chunk.begin == chunk.end) break;
      const uint64_t* const offsets = chunk.segment->row_offsets;
      if (!coded || (offsets[chunk.end] - offsets[chunk.begin]) * count > kMostBounds) {
        adder.add(scorer.score(*chunk.segment, chunk.begin));
        continue;
      }
      bounds.compute(*chunk.segment, chunk.begin, chunk.end);
      add_chunk(chunk, least, &refiner, &list, &adder);
    }
    adder.flush();
  }

  /// Adds the documents of a chunk whose bounds were found.
  static void add_chunk(const Chunk& chunk, float least, DocumentRefiner* refiner, Shortlist* list,
                        TermAdder* adder) {
    list->clear();
    for (std::size_t d = chunk.begin; d < chunk.end; ++d) {
      const float upper = refiner->upper(d);
      if (!(upper < least)) refiner->shortlist(d, upper, list);
    }
    for (std::size_t i = 0; i < list->documents.size(); ++i) {
      if (i + kFetchAhead < list->documents.size()) refiner->fetch(*list, list->documents[i + kFetchAhead]);
      float score;
      if (refiner->score(*list, list->documents[i], least, &score)) adder->add(score);
    }
  }

  const CpuBackend& backend_;
  const granule_term_search& request_;
  const granule_search& search_;
  const WidenedQueries widened_;
  const CodedQueries coded_;
  const std::size_t places_;
  StopAsked stop_;
};

}  // namespace

granule_result sum_document_terms(const CpuBackend& backend, const granule_term_search& request,
                                  granule_term_sum* sums) {
  return DocumentTerms(backend, request).run(sums);
}

}  // namespace granule
