#pragma once

#include <cstdint>

#include "core/cancel_flag.h"
#include "core/status.h"
#include "index/search.h"
#include "index/sparse/sparse_rows.h"
#include "index/sparse/sparse_store.h"

namespace granule {

/// f(w) = w / (w + (base + slope * length)) of a value w in a row; finite, at least 0.
struct Saturation {
  double base = 0;
  double slope = 0;
};

/// What a search of a sparse store asks for.
struct SparseSearchOptions {
  /// From 1 to the rows of the snapshot.
  uint32_t k = 1;
  /// Softmax temperature of the probabilities, where those are wanted.
  double temperature = 1;
  /// Bitset of allowed rows (bit r & 7 of byte r >> 3); rows behind its end are not allowed. Null allows all.
  const uint8_t* filter = nullptr;
  std::size_t filter_bytes = 0;
  /// Only for a saturating store; null: f(w) = w.
  const Saturation* saturation = nullptr;
  unsigned threads = 1;
};

/// The k best rows of each query by the sum, over the terms t of both in ascending order, of q_t f(w_t):
/// products and sums in float64, rounded once to float32. Only rows that share a term with the query count.
///
/// Every block of 64 rows has an upper bound of its rows' scores: the sum, in the same order, of bounds of
/// the terms' contributions. Rounding is monotone, so no row's rounded sum is above it. Blocks are scored in
/// the order of their bounds, as long as those reach the k-th best score so far (a tie is kept).
///
/// @param hits rows, scores, counts, thresholds, rows_rescored, and probabilities where wanted
/// @return length_mismatch, invalid_argument, not_finite with query and term, aborted
/// @throws std::bad_alloc
Status search_sparse(Engine& engine, const SparseSnapshot& snapshot, const SparseRows& queries,
                     const SparseSearchOptions& options, const CancelFlag& cancel, const Hits& hits);

}  // namespace granule
