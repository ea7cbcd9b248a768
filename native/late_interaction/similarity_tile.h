#pragma once

#include <cstddef>
#include <cstdint>

#include "backends/cpu/widened_queries.h"
#include "core/cancel_flag.h"
#include "core/status.h"
#include "core/thread_pool.h"
#include "kernels/kernel_table.h"

namespace granule {

/// Most vectors of either side that are multiplied at a time; a cancelled call stops between two blocks.
inline constexpr std::size_t kTileBlock = 64;

/// Part of a tile of similarities.
struct TileBlock {
  std::size_t first_query;
  /// At most kTileBlock.
  std::size_t queries;
  std::size_t first_vector;
  /// At most kTileBlock.
  std::size_t vectors;
};

/// Similarities of query vectors q_i with a document's vectors x_j, as an index scores them:
///
///     out[i * stride + j] = <q_i, x_j>      the reference inner product (core/canonical_dot.h), rounded once
///
/// @param document the document's first vector
/// @param exact receives the block before it is rounded, rows kTileBlock apart
/// @param out the tile's first number; only the block's are written
/// @return whether all are finite, as they are unless a vector is not or a similarity is beyond float32
bool multiply_block(const KernelTable& kernels, const WidenedQueries& queries, std::size_t dimension,
                    const float* document, const TileBlock& block, double* exact, float* out,
                    std::size_t stride);

/// not_finite, with the first place of a tile, row by row, whose number is not finite; there must be one.
/// @param document is named in the message; negative: there is only one
Status first_not_finite(const float* tile, std::size_t columns, int64_t document);

/// A query's vectors and a document's.
struct VectorPair {
  const float* query;
  std::size_t query_vectors;
  const float* document;
  std::size_t document_vectors;
  std::size_t dimension;
};

/// All similarities of a query and a document, query_vectors x document_vectors. The same bits for every
/// number of threads and every machine.
///
/// @return not_finite with query vector and document vector, or aborted
/// @throws std::bad_alloc
Status similarity_tile(ThreadPool& pool, unsigned threads, const KernelTable& kernels, const VectorPair& pair,
                       const CancelFlag& cancel, float* out);

}  // namespace granule
