#include <algorithm>
#include <atomic>
#include <cstddef>
#include <vector>

#include "backends/cpu/cpu_backend.h"
#include "backends/cpu/exact_rows.h"
#include "backends/cpu/maxsim_scorer.h"
#include "backends/cpu/scan_units.h"
#include "backends/cpu/stored_rows.h"
#include "backends/cpu/widened_queries.h"
#include "core/log_sum_exp.h"

// Sums of exponentials over all rows of a search, from the reference scores of all of them
// (core/log_sum_exp.h).

namespace granule {
namespace {

/// Queries that share one pass over the rows: their float64 forms stay in the second-level cache.
constexpr std::size_t kQueryGroup = 32;
/// Bytes of vectors, widened, between two looks at the cancel flag.
constexpr std::size_t kLookBytes = std::size_t{1} << 18;
/// Documents between two looks at the cancel flag.
constexpr std::size_t kDocumentsPerLook = 16;

/// Whether the caller has asked to stop; known to all tasks once one has seen it.
class StopAsked {
 public:
  explicit StopAsked(const granule_search& search) : search_(search) {}

  bool look() {
    if (stopped_.load(std::memory_order_relaxed)) return true;
    if (search_.cancelled(search_.cancelled_context) == 0) return false;
    stopped_.store(true, std::memory_order_relaxed);
    return true;
  }
  bool was_seen() const { return stopped_.load(); }

 private:
  const granule_search& search_;
  std::atomic<bool> stopped_{false};
};

/// The terms of one query's scores, a few scores at a time.
class TermAdder {
 public:
  TermAdder(const CpuBackend& backend, const granule_term_search& request, std::size_t query, TermSum* sum)
      : backend_(backend),
        maximum_(static_cast<double>(finite_score(request.maxima[query]))),
        temperature_(request.temperature),
        sum_(sum) {}

  void add(float score) {
    scores_[count_++] = finite_score(score);
    if (count_ == kExactRowTile) flush();
  }

  /// To be called at the end.
  void flush() {
    double exponentials[kExactRowTile];
    backend_.kernels.softmax_terms(static_cast<const float*>(scores_), count_, maximum_, temperature_,
                                   static_cast<double*>(exponentials));
    for (std::size_t i = 0; i < count_; ++i) sum_->add(term_of_exponential(exponentials[i]));
    count_ = 0;
  }

 private:
  const CpuBackend& backend_;
  const double maximum_;
  const double temperature_;
  TermSum* const sum_;
  std::size_t count_ = 0;
  float scores_[kExactRowTile];
};

/// What one slot of threads works with.
struct Worker {
  /// One per query.
  std::vector<TermSum> sums;
  AlignedBuffer<double> tile;
  AlignedBuffer<float> scratch;
};

/// Adds the terms of rows `begin` up to `end`, at most a tile of them, for a group of queries.
void add_tile(const CpuBackend& backend, const granule_term_search& request, const WidenedQueries& queries,
              std::size_t first_query, std::size_t query_count, const granule_segment& segment,
              std::size_t begin, std::size_t end, Worker* worker) {
  const granule_search& search = *request.search;
  const std::size_t count = end - begin;
  const uint64_t first_row = segment.first_row + begin;
  if (!any_allowed(search.filter, first_row, count)) return;
  backend.kernels.inner_product(queries.vector(first_query), query_count, queries.stride,
                                stored_rows(backend, search, segment, begin, count, worker->scratch.data()),
                                count, search.dimension, search.dimension, worker->tile.data(),
                                kExactRowTile);
  for (std::size_t q = 0; q < query_count; ++q) {
    const std::size_t query = first_query + q;
    TermAdder adder(backend, request, query, &worker->sums[query]);
    for (std::size_t r = 0; r < count; ++r) {
      if (!allowed(search.filter, first_row + r)) continue;
      adder.add(row_score(search, segment, begin + r, worker->tile.data()[q * kExactRowTile + r],
                          queries.squared_norm(query)));
    }
    adder.flush();
  }
}

granule_term_sum in_interface(const TermSum& sum) { return {sum.low, sum.high}; }

}  // namespace

granule_result sum_row_terms(const CpuBackend& backend, const granule_term_search& request,
                             granule_term_sum* sums) {
  const granule_search& search = *request.search;
  const WidenedQueries queries(search.query_vectors, search.query_count, search.dimension,
                               static_cast<Metric>(search.metric));
  const std::size_t group = std::min<std::size_t>(kQueryGroup, search.query_count);
  const std::size_t groups = (search.query_count + group - 1) / group;
  const std::vector<ScanUnit> units = divide_into_units(search, group);
  const std::size_t rows_per_look = std::max<std::size_t>(
      kExactRowTile, kLookBytes / (sizeof(float) * search.dimension) / kExactRowTile * kExactRowTile);
  std::vector<Worker> workers(search.threads);
  StopAsked stop(search);

  backend.pool.parallel_for_slots(
      groups * units.size(), search.threads, [&](std::size_t task, std::size_t slot) {
        const ScanUnit& unit = units[task % units.size()];
        const std::size_t first_query = task / units.size() * group;
        const std::size_t count = std::min(group, search.query_count - first_query);
        Worker& worker = workers[slot];
        if (worker.sums.empty()) {
          worker.sums.resize(search.query_count);
          worker.tile = AlignedBuffer<double>(group * kExactRowTile);
          worker.scratch = AlignedBuffer<float>(scratch_size(search, kExactRowTile));
        }
        for (std::size_t begin = unit.begin; begin < unit.end; begin += kExactRowTile) {
          if ((begin - unit.begin) % rows_per_look == 0 && stop.look()) return;
          add_tile(backend, request, queries, first_query, count, *unit.segment, begin,
                   std::min(unit.end, begin + kExactRowTile), &worker);
        }
      });
  if (stop.was_seen()) return GRANULE_CANCELLED;
  for (std::size_t q = 0; q < search.query_count; ++q) {
    TermSum all;
    for (const Worker& worker : workers) {
      if (!worker.sums.empty()) all.add(worker.sums[q]);
    }
    sums[q] = in_interface(all);
  }
  return GRANULE_OK;
}

granule_result sum_document_terms(const CpuBackend& backend, const granule_term_search& request,
                                  granule_term_sum* sums) {
  const granule_search& search = *request.search;
  const std::size_t query_count = search.query_count;
  const WidenedQueries queries(search.query_vectors, search.query_offsets[query_count], search.dimension,
                               static_cast<Metric>(search.metric));
  const std::size_t documents = search.candidates != nullptr ? search.candidate_count : search.row_count;
  const std::size_t wanted = search.threads == 1 ? 1 : (8 * search.threads + query_count - 1) / query_count;
  const std::size_t slices = std::max<std::size_t>(1, std::min(wanted, documents));
  std::vector<TermSum> partial(query_count * slices);
  StopAsked stop(search);

  backend.pool.parallel_for(query_count * slices, search.threads, [&](std::size_t task) {
    const std::size_t slice = task % slices;
    const std::size_t query = task / slices;
    const std::size_t first_vector = search.query_offsets[query];
    MaxsimScorer scorer(backend, search, queries, first_vector,
                        search.query_offsets[query + 1] - first_vector);
    TermAdder adder(backend, request, query, &partial[task]);
    const std::size_t begin = documents * slice / slices;
    const std::size_t end = documents * (slice + 1) / slices;
    const granule_segment* segment = nullptr;
    for (std::size_t i = begin; i < end; ++i) {
      if ((i - begin) % kDocumentsPerLook == 0 && stop.look()) return;
      const uint64_t row = search.candidates != nullptr ? search.candidates[i] : i;
      if (!allowed(search.filter, row)) continue;
      if (segment == nullptr || row >= segment->first_row + segment->row_count)
        segment = &segment_of(search, row);
      adder.add(scorer.score(*segment, row - segment->first_row));
    }
    adder.flush();
  });
  if (stop.was_seen()) return GRANULE_CANCELLED;
  for (std::size_t q = 0; q < query_count; ++q) {
    TermSum all;
    for (std::size_t slice = 0; slice < slices; ++slice) all.add(partial[q * slices + slice]);
    sums[q] = in_interface(all);
  }
  return GRANULE_OK;
}

}  // namespace granule
