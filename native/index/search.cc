#include "index/search.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "core/log_sum_exp.h"
#include "index/prepared_vectors.h"
#include "index/top_k_softmax.h"

namespace granule {
namespace {

int32_t is_cancelled(const void* context) {
  return static_cast<const CancelFlag*>(context)->cancelled() ? 1 : 0;
}

/// Starts of the queries' vectors, with the end behind them.
Status query_offsets(const uint32_t* lengths, uint64_t query_count, uint64_t vector_count,
                     std::vector<uint64_t>* offsets) {
  offsets->assign(1, 0);
  for (uint64_t q = 0; q < query_count; ++q) {
    if (lengths[q] == 0) {
      return Status::failure(StatusCode::empty_document, "query " + std::to_string(q) + " has no vectors",
                             static_cast<int64_t>(q));
    }
    offsets->push_back(offsets->back() + lengths[q]);
  }
  if (offsets->back() != vector_count) {
    return Status::failure(StatusCode::length_mismatch,
                           "the lengths add up to " + std::to_string(offsets->back()) +
                               " query vectors, but there are " + std::to_string(vector_count));
  }
  return Status::success();
}

std::vector<uint32_t> sorted_unique(const uint32_t* rows, std::size_t count) {
  std::vector<uint32_t> out(rows, rows + count);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

Status status_of(granule_result result, const char* message, const Snapshot& snapshot) {
  switch (result) {
    case GRANULE_OK:
      return Status::success();
    case GRANULE_CANCELLED:
      return Status::failure(StatusCode::aborted, "the search was aborted");
    case GRANULE_CORRUPT:
      return snapshot.damage();
    case GRANULE_OUT_OF_MEMORY:
      return Status::failure(StatusCode::out_of_memory, message);
    default:
      return Status::failure(StatusCode::internal, message);
  }
}

/// Adds each query's log-sum-exp over all rows, and the share of it that its hits hold. The backend sums the
/// terms, whose greatest score the hits have; the hits' own are the same integers.
granule_result add_log_sum_exps(const granule_backend& backend, const granule_search& search,
                                double temperature, const Hits& hits, char* message,
                                std::size_t message_size) {
  const std::size_t queries = search.query_count;
  std::vector<float> maxima(queries);
  for (std::size_t q = 0; q < queries; ++q) maxima[q] = hits.scores[q * search.k];
  std::vector<granule_term_sum> sums(queries);
  const granule_term_search request{&search, temperature, maxima.data()};
  if (const granule_result result =
          backend.sum_terms(backend.self, &request, sums.data(), message, message_size);
      result != GRANULE_OK) {
    return result;
  }
  for (std::size_t q = 0; q < queries; ++q) {
    hits.log_sum_exps[q] = -std::numeric_limits<double>::infinity();
    hits.mass_shares[q] = 0;
    if (hits.counts[q] == 0) continue;
    TermSum top;
    for (uint32_t i = 0; i < hits.counts[q]; ++i)
      top.add(softmax_term(hits.scores[q * search.k + i], maxima[q], temperature));
    const TermSum all{sums[q].low, sums[q].high};
    hits.log_sum_exps[q] = log_sum_exp(all, maxima[q], temperature);
    hits.mass_shares[q] = mass_share(top, all);
  }
  return GRANULE_OK;
}

}  // namespace

Status search_snapshot(const Engine& engine, const granule_backend& backend, const Snapshot& snapshot,
                       const StoreOptions& store, const float* query_vectors, uint64_t query_vector_count,
                       const uint32_t* lengths, uint64_t query_count, const SearchOptions& options,
                       const CancelFlag& cancel, const Hits& hits) {
  std::vector<uint64_t> offsets;
  if (lengths != nullptr) {
    if (Status status = query_offsets(lengths, query_count, query_vector_count, &offsets); !status.ok())
      return status;
  }
  FirstNotFinite first_bad;
  AlignedBuffer<float> queries(query_vector_count * store.dimension);
  AlignedBuffer<double> squared_norms(store.metric == Metric::squared_l2 ? query_vector_count : 0);
  prepare_vectors(*engine.kernels.table, query_vectors, query_vector_count, store.dimension, store.metric, 0,
                  queries.data(), squared_norms.data(), &first_bad);
  if (Status status = first_bad.status("query vector"); !status.ok()) return status;

  std::vector<uint8_t> filter;
  if (options.filter != nullptr) {
    // Rows may have been added since the caller sized the bitset.
    filter.assign((snapshot.row_count + 7) / 8, 0);
    std::copy_n(options.filter, std::min(options.filter_bytes, filter.size()), filter.begin());
    if (snapshot.live != nullptr) {
      for (std::size_t i = 0; i < filter.size(); ++i) filter[i] &= (*snapshot.live)[i];
    }
  }
  const uint8_t* live = snapshot.live != nullptr ? snapshot.live->data() : nullptr;
  std::vector<uint32_t> candidates;
  if (options.candidates != nullptr) candidates = sorted_unique(options.candidates, options.candidate_count);

  granule_search search{};
  search.dimension = store.dimension;
  search.metric = static_cast<int32_t>(store.metric);
  search.dtype = static_cast<int32_t>(store.dtype);
  search.segments = snapshot.segments.data();
  search.segment_count = snapshot.segments.size();
  search.row_count = snapshot.row_count;
  search.query_vectors = queries.data();
  search.query_count = query_count;
  search.query_offsets = lengths != nullptr ? offsets.data() : nullptr;
  search.k = options.k;
  search.filter = options.filter != nullptr ? filter.data() : live;
  search.candidates = options.candidates != nullptr ? candidates.data() : nullptr;
  search.candidate_count = candidates.size();
  search.threads = std::max(1u, options.threads);
  search.cancelled = is_cancelled;
  search.cancelled_context = &cancel;

  granule_hits out{
      hits.rows,       hits.scores,       hits.counts, hits.matched_vectors, hits.matched_similarities,
      hits.thresholds, hits.rows_rescored};

  char message[256] = "";
  granule_result result = backend.search(backend.self, &search, &out, message, sizeof message);
  if (result == GRANULE_OK && hits.log_sum_exps != nullptr)
    result = add_log_sum_exps(backend, search, options.temperature, hits, message, sizeof message);
  if (Status status = status_of(result, message, snapshot); !status.ok()) return status;

  if (hits.probabilities != nullptr) {
    std::fill_n(hits.probabilities, query_count * options.k, 0.0f);
    for (uint64_t q = 0; q < query_count; ++q) {
      softmax_of_ranked(*engine.kernels.table, hits.scores + q * options.k, hits.counts[q],
                        options.temperature, hits.probabilities + q * options.k);
    }
  }
  return Status::success();
}

}  // namespace granule
