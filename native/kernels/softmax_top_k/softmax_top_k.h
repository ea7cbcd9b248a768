#pragma once

#include <cstddef>
#include <cstdint>

namespace granule {

/// Terms of a softmax and their sum, for scores s_i with maximum m at temperature t:
///
///     term_i = exp((s_i - m) / t)      in float64, by the reference exponential (core/canonical_exp.h)
///     returns the sum of the terms, accumulated like the reference inner product: lane l adds terms l, l +
///     8, ... in order, the lanes are added pairwise ((0+1)+(2+3))+((4+5)+(6+7))
///
/// `terms` receives the terms, or is null. No multiply-add is fused, so every instruction set gives the same
/// bits.
using SoftmaxTerms = double(const float* scores, std::size_t count, double maximum, double temperature,
                            double* terms);

/// Positions, ascending, of the scores that are at least `threshold`; `positions` has room for `count`.
/// @return how many there are
using SoftmaxSelect = std::size_t(const float* scores, std::size_t count, float threshold,
                                  uint32_t* positions);

SoftmaxTerms softmax_terms_f32_scalar;
SoftmaxTerms softmax_terms_f32_avx2;
SoftmaxTerms softmax_terms_f32_avx512;
SoftmaxTerms softmax_terms_f32_neon;

SoftmaxSelect softmax_select_f32_scalar;
SoftmaxSelect softmax_select_f32_avx2;
SoftmaxSelect softmax_select_f32_avx512;
SoftmaxSelect softmax_select_f32_neon;

}  // namespace granule
