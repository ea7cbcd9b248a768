#pragma once

#include <cstddef>
#include <cstdint>

#include "core/cancel_flag.h"
#include "core/score.h"
#include "core/status.h"
#include "core/thread_pool.h"

namespace granule {

/// How a document's vectors are divided. The values are part of the JavaScript border.
enum class PoolingMethod : uint32_t { ward = 0, kmeans = 1 };

/// Documents of several vectors each. The caller has made sure that the lengths add up and that none is 0.
struct DocumentsToPool {
  /// vector_count x dimension, document after document.
  const float* vectors;
  std::size_t dimension;
  /// For cosine the vectors are normalised first, as an index does it.
  Metric metric;
  const uint32_t* lengths;
  /// Vectors to keep of each document, from 1 (from `protect` + 1 where the document is longer) to its
  /// length.
  const uint32_t* kept;
  std::size_t document_count;
  PoolingMethod method;
  /// So many first vectors of each document are kept as they are.
  uint32_t protect;
  unsigned threads;
};

/// Where the pooled vectors go. Room for the sum of `kept`; k-means may use less.
struct PooledDocuments {
  /// Pooled vectors, in the order of their lowest member within a document.
  float* vectors;
  /// Pooled vectors per document.
  uint32_t* lengths;
  /// One more than there are pooled vectors: those of number p have the members rows[offsets[p] .. offsets[p
  /// + 1]).
  uint32_t* offsets;
  /// As many as input vectors: their numbers, ascending within a pooled vector.
  uint32_t* rows;
  /// Per pooled vector c an upper bound of the distance of its members, max |x - c|; exactly 0 for one of one
  /// member.
  float* radii;
};

/// Pools the vectors of each document. A pooled vector is the mean of its members in float64 (for cosine
/// normalised afterwards), rounded once to float32; of one member it is that member, bit for bit. Results are
/// the same bits for every number of threads and every machine.
///
/// @param pooled_count how many there are
/// @return not_finite with row and column, or aborted
/// @throws std::bad_alloc
Status pool_vectors(ThreadPool& pool, const DocumentsToPool& documents, const CancelFlag& cancel,
                    const PooledDocuments& out, uint64_t* pooled_count);

}  // namespace granule
