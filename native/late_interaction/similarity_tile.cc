#include "late_interaction/similarity_tile.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <string>
#include <vector>

#include "core/finite.h"
#include "index/prepared_vectors.h"

namespace granule {
namespace {

/// Multiplications that make a task: some hundred microseconds.
constexpr std::size_t kTaskProducts = std::size_t{1} << 21;

/// Vectors of a task, a multiple of kTileBlock.
std::size_t vectors_per_task(const VectorPair& pair) {
  const std::size_t products = std::max<std::size_t>(1, pair.query_vectors * pair.dimension);
  return (kTaskProducts / products + kTileBlock) / kTileBlock * kTileBlock;
}

}  // namespace

bool multiply_block(const KernelTable& kernels, const WidenedQueries& queries, std::size_t dimension,
                    const float* document, const TileBlock& block, double* exact, float* out,
                    std::size_t stride) {
  kernels.inner_product(queries.vector(block.first_query), block.queries, queries.stride,
                        document + block.first_vector * dimension, block.vectors, dimension, dimension, exact,
                        kTileBlock);
  bool finite = true;
  for (std::size_t q = 0; q < block.queries; ++q) {
    const double* from = exact + q * kTileBlock;
    float* to = out + (block.first_query + q) * stride + block.first_vector;
    for (std::size_t j = 0; j < block.vectors; ++j) to[j] = static_cast<float>(from[j]);
    finite = all_finite(to, block.vectors) && finite;
  }
  return finite;
}

Status first_not_finite(const float* tile, std::size_t columns, int64_t document) {
  std::size_t at = 0;
  while (std::isfinite(tile[at])) ++at;
  const std::size_t row = at / columns;
  const std::size_t column = at % columns;
  const std::string of =
      document < 0 ? "document vector " + std::to_string(column)
                   : "vector " + std::to_string(column) + " of document " + std::to_string(document);
  return Status::failure(StatusCode::not_finite,
                         "the similarity of query vector " + std::to_string(row) + " and " + of + " is " +
                             show_not_finite(tile[at]),
                         static_cast<int64_t>(row), static_cast<int64_t>(column));
}

Status similarity_tile(ThreadPool& pool, unsigned threads, const KernelTable& kernels, const VectorPair& pair,
                       const CancelFlag& cancel, float* out) {
  const WidenedQueries queries(pair.query, pair.query_vectors, pair.dimension, Metric::inner_product);
  const std::size_t step = vectors_per_task(pair);
  std::atomic<bool> finite{true};
  pool.parallel_for((pair.document_vectors + step - 1) / step, threads, [&](std::size_t task) {
    std::vector<double> exact(kTileBlock * kTileBlock);
    const std::size_t end = std::min(pair.document_vectors, (task + 1) * step);
    for (std::size_t j = task * step; j < end; j += kTileBlock) {
      for (std::size_t i = 0; i < pair.query_vectors; i += kTileBlock) {
        if (cancel.cancelled()) return;
        const TileBlock block{i, std::min(kTileBlock, pair.query_vectors - i), j,
                              std::min(kTileBlock, end - j)};
        if (!multiply_block(kernels, queries, pair.dimension, pair.document, block, exact.data(), out,
                            pair.document_vectors)) {
          finite.store(false, std::memory_order_relaxed);
        }
      }
    }
  });
  if (cancel.cancelled()) return Status::failure(StatusCode::aborted, "the scoring was aborted");
  if (!finite.load()) return first_not_finite(out, pair.document_vectors, -1);
  return Status::success();
}

}  // namespace granule
