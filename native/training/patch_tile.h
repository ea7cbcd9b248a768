#pragma once

#include <cstddef>
#include <vector>

#include "kernels/kernel_table.h"

namespace granule {

/// Similarities of a text's words (rows) and an image's patches (columns).
struct PatchTile {
  float* similarities;
  /// Numbers from one row to the next.
  std::size_t stride;
  std::size_t words;
  std::size_t patches;
};

/// Scores of a tile and their gradients, for one thread. `slope` is dL/dscore; a gradient dL/ds = slope
/// dscore/ds is added to `gradient`, words x patches. Sums go in ascending order, in float64.
class PatchTileScorer {
 public:
  explicit PatchTileScorer(const KernelTable& kernels) : kernels_(kernels) {}

  /// scale x sum over words of the best patch.
  double best_patches(const PatchTile& tile, double scale) const;
  void best_patches_gradient(const PatchTile& tile, double slope, double* gradient) const;
  /// Mean over patches of the best word.
  double best_words(const PatchTile& tile);
  void best_words_gradient(const PatchTile& tile, double slope, double* gradient);
  double pacl(const PatchTile& tile, double temperature);
  /// @return slope dscore/dt
  double pacl_gradient(const PatchTile& tile, double temperature, double slope, double* gradient);
  double sparc(const PatchTile& tile);
  void sparc_gradient(const PatchTile& tile, double slope, double* gradient);

 private:
  /// Fills weights_ with a word's softmax over patches. @return sum_b a_b s_b
  double attend(const float* row, std::size_t patches, double temperature);
  /// Fills weights_ with a word's group. @return the sum that they were divided by; 0 where all are alike
  double group(const float* row, std::size_t patches);
  void find_best_words(const PatchTile& tile);

  const KernelTable& kernels_;
  std::vector<double> weights_;
  std::vector<std::size_t> best_words_;
};

}  // namespace granule
