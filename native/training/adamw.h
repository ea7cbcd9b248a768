#pragma once

#include <cstddef>
#include <vector>

#include "core/cancel_flag.h"
#include "core/status.h"
#include "core/thread_pool.h"
#include "kernels/kernel_table.h"

namespace granule {

/// A parameter tensor, what is known of its gradient, and its moments; `count` numbers each.
struct AdamWTensor {
  float* values;
  const float* gradient;
  float* first;
  float* second;
  std::size_t count;
  /// Weight decay.
  double decay;
};

/// One step of AdamW (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019):
///
///     g = c gradient                       c = min(1, clip / |gradient|), the norm over all tensors
///     m = b1 m + (1 - b1) g                v = b2 v + (1 - b2) g^2
///     x = x - rate ((m / m_correction) / (sqrt(v / v_correction) + epsilon) + decay x)
struct AdamWStep : AdamWRule {
  /// Above 0; infinity clips nothing.
  double clip;
  unsigned threads;
};

/// Takes a step. Moments and values are float32; each is worked out in float64 from those that are kept,
/// without contraction, and rounded once. The norm is the root of a sum in float64 over blocks of 4,096
/// numbers, each by the reference inner product, in order. So the bits do not depend on threads or machine.
///
/// @param gradient_norm receives |gradient|, before clipping
/// @return not_finite, with the tensor's number as row and the place in it as column, for a number of a
/// gradient; with neither where what is left of the norm after clipping is above 1e19, whose square float32
/// cannot hold. Nothing is changed then.
Status adamw_step(ThreadPool& pool, const KernelTable& kernels, const std::vector<AdamWTensor>& tensors,
                  const AdamWStep& step, double* gradient_norm);

}  // namespace granule
