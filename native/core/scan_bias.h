#pragma once

#include <cmath>

namespace granule {

/// What a scan of codes adds to a vector's score, in float32.
///
/// Where |b - |x|^2| is smaller than 2^-20 of |b| + |x|^2, the float64 roundings of the score are no longer
/// small beside it, and the bounds of a scan, which know only the difference, would not hold; nor would they
/// beyond 2^80, where their float32 arithmetic could overflow.
///
/// @param row_bias 0 where rows are documents or have none
/// @param squared_norm 0 unless the metric is squared L2
/// @return false where the bounds would not hold with it
inline bool scan_bias(double row_bias, double squared_norm, float* out) {
  const double sum = row_bias - squared_norm;
  *out = static_cast<float>(sum);
  return std::fabs(row_bias) < 0x1p80 && (row_bias == 0 || squared_norm == 0 ||
                                          std::fabs(sum) >= 0x1p-20 * (std::fabs(row_bias) + squared_norm));
}

}  // namespace granule
