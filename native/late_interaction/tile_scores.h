#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/cancel_flag.h"
#include "kernels/kernel_table.h"
#include "late_interaction/interactive_aggregation.h"

namespace granule {

/// Scores of a query and a document from the similarities s_ij of their vectors, i < n_q, j < n_d, with a
/// weight w_i per query vector. The values are part of the JavaScript border.
enum class MultiVectorScore : uint32_t {
  /// sum_i w_i max_j s_ij
  maxsim = 0,
  /// The same / sum_i w_i.
  mean_maxsim = 1,
  /// sum_i w_i t ln sum_j exp(s_ij / t)
  smooth_maxsim = 2,
  /// sum_i w_i mean of the m greatest s_ij, of all where there are fewer
  top_mean = 3,
  /// Mean of 1/n_q sum_i max_j s_ij and 1/n_d sum_j max_i s_ij, or one of them; without weights.
  filip = 4,
  /// sum_i w_i sum_j a_ij s_ij / sum_i w_i,   a_ij = exp(s_ij / t) / sum_j exp(s_ij / t)
  pacl = 5,
  /// As pacl with a_ij = b_ij / sum_j b_ij; b_ij is s_ij brought to [0, 1] by the least and the greatest of
  /// its i, 0 where that is below 1 / n_d, and 1 where all are equal.
  sparc = 6,
  /// As pacl with a_ij = exp(s_ij / t) / (1 + sum_j exp(s_ij / t)).
  flair = 7,
  /// 1/2 (I_j(I_i(s_ij)) + I_i(I_j(s_ij))), I_i the interactive aggregation over i; without weights.
  bi_isa = 8,
};

/// Which of FILIP's means count. The values are part of the JavaScript border.
enum class FilipDirection : uint32_t { both = 0, query_to_document = 1, document_to_query = 2 };

/// A score and its options; each is read by the scores whose formulas have it.
struct MultiVectorScoring {
  MultiVectorScore score;
  /// One per query vector, finite and not negative, for the means not all 0; null: all 1.
  const double* weights;
  /// t, above 0.
  double temperature;
  /// m, at least 1.
  std::size_t most;
  FilipDirection direction;
  BiIsaMixing mixing;
};

/// Similarities of a query and a document of at least one vector each.
struct SimilarityTile {
  /// query_vectors x document_vectors, all finite
  const float* similarities;
  std::size_t query_vectors;
  std::size_t document_vectors;
  /// Per query vector the greatest of its similarities.
  const float* greatest;

  const float* row(std::size_t i) const { return similarities + i * document_vectors; }
};

/// Reduces tiles to scores, in float64 and in a fixed order: over i ascending; over j ascending where sparc,
/// filip and the best of top_mean (the greatest first) are added, and in eight lanes, as the reference inner
/// product, where exponentials are. Keeps its memory from tile to tile; for one thread.
class TileScorer {
 public:
  TileScorer(const KernelTable& kernels, const MultiVectorScoring& scoring)
      : kernels_(kernels), scoring_(scoring), aggregation_(kernels, scoring.temperature) {}

  /// @return the score; no number that means anything where cancelled
  double score(const SimilarityTile& tile, const CancelFlag& cancel);

 private:
  /// sum_i w_i reduce(i)
  template <typename Reduce>
  double weighted_sum(const SimilarityTile& tile, const CancelFlag& cancel, const Reduce& reduce) const;
  double weight_total(const SimilarityTile& tile) const;
  double top_mean(const float* similarities, std::size_t count);
  double attended(const float* similarities, std::size_t count, double greatest, bool empty_key);
  double filip(const SimilarityTile& tile, const CancelFlag& cancel);

  const KernelTable& kernels_;
  const MultiVectorScoring& scoring_;
  InteractiveAggregation aggregation_;
  std::vector<float> column_greatest_;
  std::vector<float> best_;
  std::vector<double> terms_;
};

}  // namespace granule
