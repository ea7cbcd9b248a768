#pragma once

#include <cstddef>
#include <cstdint>

#include "core/status.h"
#include "training/matrix_product.h"

namespace granule {

enum class TowerKind : uint32_t { linear, low_rank, mlp };

/// A map of vectors x of `input` numbers to vectors y of `output` numbers:
///
///     linear     z = W x + b
///     low-rank   z = x + U h              h = scale D x            (input = output)
///     mlp        z = V h + b, or x + V h + b                       h = max(0, W x + c)
///     y = z, or z / max(|z|, 1e-12)
struct TowerShape {
  TowerKind kind;
  std::size_t input;
  /// Numbers of h: the rank, the hidden units; 0 for linear.
  std::size_t hidden;
  std::size_t output;
  /// Of low-rank.
  double scale;
  /// Whether an mlp adds x; then input = output.
  bool residual;
  bool normalise;
};

/// A tower's tensors, row-major; null where its kind has none.
template <typename T>
struct TowerTensors {
  /// hidden x input: W of an mlp, D
  T* hidden_weight;
  /// hidden: c
  T* hidden_bias;
  /// output x input of linear, else output x hidden: V, U
  T* output_weight;
  /// output: b
  T* output_bias;
};

/// A norm below this counts as this.
inline constexpr double kTowerLeastNorm = 1e-12;

/// What a forward pass fills in.
struct TowerActivations {
  /// rows x output: y
  float* outputs;
  /// rows x hidden: h; null: not kept
  float* hidden;
  /// rows: |z|; null: not kept
  double* norms;
};

/// Maps vectors. A product begins with what is added to it (b, c, x, x + b) and goes on as a chain of fused
/// multiply-adds; |z| is the root of the reference inner product of z with itself, and the division is done
/// in float64: the same bits for every number of threads and every machine.
///
/// @param inputs rows x input
/// @return not_finite with row and column of an input, or of an output beyond float32; aborted
/// @throws std::bad_alloc
Status tower_forward(const MatrixWorkers& workers, const TowerShape& shape,
                     const TowerTensors<const float>& parameters, const float* inputs, std::size_t rows,
                     const TowerActivations& out);

/// What a backward pass works on: inputs and activations of the forward pass, and dL/dy.
struct TowerBackward {
  const float* inputs;
  std::size_t rows;
  const float* outputs;
  const float* hidden;
  const double* norms;
  /// rows x output
  const float* output_gradient;
  /// rows x input, receives dL/dx; null: not wanted
  float* input_gradient;
};

/// Adds dL/dparameter to `gradients`. With g = dL/dy and n = |z|
///
///     dL/dz = (g - y <y, g>) / n        in float64, rounded once; 0 where n is below 1e-12
///
/// A vector without a direction teaches nothing: the formula's 1e12 g would drown all others. Weights'
/// gradients are chains of fused multiply-adds that go on from `gradients`, rows ascending; those of biases
/// are sums in float64, rows ascending, rounded once and added. Where h is 0, the slope of max(0, .) counts
/// as 0.
///
/// @return not_finite with row and column of the output gradient: nothing is added then; aborted: `gradients`
/// then hold a part
/// @throws std::bad_alloc
Status tower_backward(const MatrixWorkers& workers, const TowerShape& shape,
                      const TowerTensors<const float>& parameters, const TowerTensors<float>& gradients,
                      const TowerBackward& pass);

/// Rows that are under way at a time, so that what a pass needs for itself does not grow with the rows.
inline constexpr std::size_t kTowerRows = 2048;

}  // namespace granule
