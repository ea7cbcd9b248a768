#pragma once

#include <cstddef>

#include "training/in_batch_contrast.h"
#include "training/tower.h"

namespace granule {

/// One side of a batch: frozen vectors, and the tower that maps them.
struct ContrastTower {
  /// Null: the inputs are compared as they are.
  const TowerShape* shape;
  TowerTensors<const float> parameters;
  TowerTensors<float> gradients;
  /// rows x shape->input, or rows x dimension
  const float* inputs;
  std::size_t rows;
};

struct ContrastOfTowers {
  double loss;
  /// dL/dt
  double temperature;
};

/// in_batch_contrast of what two towers make of their inputs, and backwards through both: tower_forward,
/// in_batch_contrast and tower_backward one after the other, with their bits. Adds dL/dparameter to the
/// gradients of the query's tower, then of the document's; they may be one tower.
///
/// Memory: that of the three, and for each side two rows of outputs per row, with hidden numbers and norms.
///
/// @param batch without vectors; their numbers and `dimension` are those of the towers' outputs
/// @return as the three; not_finite before anything is added
/// @throws std::bad_alloc
Status contrast_of_towers(const MatrixWorkers& workers, const ContrastTower& query,
                          const ContrastTower& document, const ContrastBatch& batch, std::size_t kept_bytes,
                          ContrastOfTowers* out);

}  // namespace granule
