#pragma once

#include <cstddef>
#include <cstdint>

#include "core/status.h"
#include "training/in_batch_contrast.h"
#include "training/matrix_product.h"

namespace granule {

/// How a text's words u_a and an image's patches v_b are scored, by s_ab = <u_a, v_b>:
///
///     max_sim        sum_a max_b s_ab
///     mean_max_sim   mean_a max_b s_ab
///     filip          texts look for images by mean_a max_b s_ab, images for texts by mean_b max_a s_ab
///     pacl           mean_a sum_b softmax_b(s_ab / t_a) s_ab
///     sparc          mean_a sum_b w_ab s_ab: sparse groups (src/training/losses/patches/sparc-groups.ts)
///
/// Of equal matches the first gets the gradient. That of pacl and sparc passes through the weights.
enum class PatchScore : uint32_t { max_sim, mean_max_sim, filip, pacl, sparc };

/// Lists of vectors, one after the other.
struct VectorLists {
  const float* vectors;
  /// Vectors per list, each at least 1.
  const uint32_t* lengths;
  std::size_t count;
};

/// Text i's image is image i; images from the number of texts on are hard negatives.
struct PatchContrastBatch {
  VectorLists texts;
  VectorLists images;
  std::size_t dimension;
  PatchScore score;
  double temperature;
  /// t_a, of pacl.
  double attention_temperature;
  ContrastDirection direction;
  /// As of ContrastBatch.
  const uint32_t* groups;
  const double* weights;
};

struct PatchGradients {
  /// dL/du and dL/dv, as the vectors lie.
  float* words;
  float* patches;
  double loss;
  double temperature;
  /// dL/dt_a; 0 where there is none.
  double attention_temperature;
};

/// In-batch InfoNCE over scores of words and patches. Similarities are float32 chains, as of every product of
/// matrices, and computed twice: for the scores and for the gradient, whose own two products take as long.
/// Scores and everything up to dL/ds are float64, dL/ds_ab is rounded once: the same bits for every number of
/// threads and every machine. Memory: similarities of whole texts with all images, 8 MiB or those of one
/// text, and a number per pair of text and image, twice.
///
/// @return not_finite with row and column of a word or patch, or where similarities, the loss or a gradient
/// are not; aborted
/// @throws std::bad_alloc
Status patch_contrast(const MatrixWorkers& workers, const PatchContrastBatch& batch, PatchGradients* out);

}  // namespace granule
