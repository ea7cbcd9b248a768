#pragma once

#include <cstddef>

namespace granule {

/// What a step of AdamW (training/adamw.h) does to all numbers alike.
struct AdamWRule {
  double rate;
  double first_decay;
  double second_decay;
  double epsilon;
  /// 1 - b1^k and 1 - b2^k at step k = 1, 2, ...
  double first_correction;
  double second_correction;
};

/// What it does to those of a tensor.
struct AdamWUpdate : AdamWRule {
  /// What gradients are multiplied by.
  double factor;
  double decay;
};

/// Takes the step in float64, operation by operation as the scalar kernel has them, without a fused
/// multiply-add, and rounds moments and values once each: the same bits on every instruction set.
using AdamWNumbers = void(const AdamWUpdate& update, const float* gradient, std::size_t count, float* values,
                          float* first, float* second);

AdamWNumbers adamw_numbers_f32_scalar;
AdamWNumbers adamw_numbers_f32_avx2;
AdamWNumbers adamw_numbers_f32_avx512;

}  // namespace granule
