#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/status.h"
#include "kernels/kernel_table.h"

namespace granule {

/// The k greatest of a list of scores, and their softmax.
struct TopKSoftmax {
  std::vector<uint32_t> rows;
  std::vector<float> scores;
  std::vector<float> probabilities;
  /// ln sum_i exp(s_i / t) over the whole list.
  double log_sum_exp = 0;
  /// Share of that sum that the k hold.
  double mass = 0;
};

/// @param scores count finite float32
/// @param k from 1 to count
/// @param temperature t > 0
/// @return not_finite with the position in `row`
/// @throws std::bad_alloc
Status top_k_softmax(const KernelTable& kernels, const float* scores, std::size_t count, std::size_t k,
                     double temperature, TopKSoftmax* out);

/// p_i = exp(s_i / t) / sum_j exp(s_j / t) over `count` scores in descending order, in float64, rounded once
/// to float32. Scores beyond float32 (infinite) count as the greatest float32 of their sign.
void softmax_of_ranked(const KernelTable& kernels, const float* scores, std::size_t count, double temperature,
                       float* probabilities);

}  // namespace granule
