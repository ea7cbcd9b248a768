#pragma once

#include <cstdint>

#include "core/cancel_flag.h"
#include "core/status.h"
#include "index/segment_store.h"

namespace granule {

/// What a search asks for.
struct SearchOptions {
  /// From 1 to the rows of the snapshot.
  uint32_t k = 1;
  /// Softmax temperature of the probabilities and of the log-sum-exps, where those are wanted.
  double temperature = 1;
  /// Bitset of allowed rows (bit r & 7 of byte r >> 3); rows behind its end are not allowed. Null allows all.
  const uint8_t* filter = nullptr;
  std::size_t filter_bytes = 0;
  /// Documents to score, in any order, with repeats; null scores all.
  const uint32_t* candidates = nullptr;
  std::size_t candidate_count = 0;
  unsigned threads = 1;
};

/// Where the results of a search go: queries x k places, best first; see granule_hits. The caller owns the
/// memory; probabilities, matches, log-sum-exps and shares are null where not wanted.
struct Hits {
  uint32_t* rows = nullptr;
  float* scores = nullptr;
  uint32_t* counts = nullptr;
  float* probabilities = nullptr;
  uint32_t* matched_vectors = nullptr;
  float* matched_similarities = nullptr;
  /// The certificate, one entry per query.
  float* thresholds = nullptr;
  uint32_t* rows_rescored = nullptr;
  /// Per query ln sum_j exp(s_j / t) over all rows that the search allows, -infinity where there are none;
  /// and the share of that sum that its hits hold, then 0.
  double* log_sum_exps = nullptr;
  double* mass_shares = nullptr;
};

/// Prepares queries (finite, normalised for cosine), runs the backend over a snapshot, adds probabilities and
/// log-sum-exps.
///
/// @param lengths of the query_count queries in vectors, for document search; null where each query is one
/// vector
/// @return not_finite with the query vector's number, empty_document for a query without vectors,
/// length_mismatch, aborted,
///   out_of_memory, index_corrupt, internal
/// @throws std::bad_alloc
Status search_snapshot(const Engine& engine, const granule_backend& backend, const Snapshot& snapshot,
                       const StoreOptions& store, const float* query_vectors, uint64_t query_vector_count,
                       const uint32_t* lengths, uint64_t query_count, const SearchOptions& options,
                       const CancelFlag& cancel, const Hits& hits);

}  // namespace granule
