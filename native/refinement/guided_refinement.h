#pragma once

#include <cstddef>
#include <cstdint>

#include "core/cancel_flag.h"
#include "core/status.h"
#include "core/thread_pool.h"
#include "kernels/kernel_table.h"

namespace granule {

/// A query's vectors z_i, i < n, the documents that two retrievers found, and what the second of them thinks
/// of each. The caller has made sure that the lengths add up and that none is 0.
struct GuidedRefinement {
  /// query_vectors x dimension
  const float* query;
  std::size_t query_vectors;
  std::size_t dimension;
  /// Document after document.
  const float* documents;
  const uint32_t* lengths;
  std::size_t document_count;
  /// One finite score per document.
  const double* complementary;
  /// Share of the complementary retriever in the target, 0 to 1.
  double weight;
  /// Above 0.
  double temperature;
  double learning_rate;
  uint32_t steps;
  /// Whether the target follows the query; else it is that of the query as given.
  bool moving_target;
  unsigned threads;
};

/// Where results go.
struct RefinedQuery {
  /// query_vectors x dimension
  float* query;
  /// Per document, of the refined query.
  double* scores;
  /// steps + 1: the loss before each step and after the last.
  double* losses;
  /// Similarities that were computed.
  uint64_t comparisons;
};

/// Moves the query towards what two retrievers agree on (Guided Query Refinement, GQR). With
///
///     s(d) = 1/n sum_i max_j <z_i, x_dj>      reference similarities, summed in float64, i ascending
///     p = softmax(s / T),   c = softmax(complementary / T)      over the documents given
///     t = (1 - weight) p0 + weight c      p0: p of the query as given; where the target moves the present p
///     L = KL(t || p)
///
/// each step is one of Adam along dL/dz_i = 1/(T n) sum_d (p_d - t_d) x_{d,a(i,d)}, a(i,d) the best match of
/// z_i in d at that step. The query is kept in float64 and rounded to float32 where it is compared: z_i above
/// is the rounded one. Results are the same bits for every number of threads and every machine.
///
/// @return not_finite with row and column of a query vector or a document's vector, or where a similarity is
/// beyond float32; aborted
/// @throws std::bad_alloc
Status refine_query(ThreadPool& pool, const KernelTable& kernels, const GuidedRefinement& refinement,
                    const CancelFlag& cancel, RefinedQuery* out);

}  // namespace granule
