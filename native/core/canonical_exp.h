#pragma once

#include <cstdint>
#include <cstring>

#include "core/host_device.h"

namespace granule {

/// 1 / i! for i from 0 to 13.
struct ExpCoefficients {
  double at[14];
};

/// A function, for code of a device may use its value but no array of the host.
GRANULE_HD constexpr ExpCoefficients exp_coefficients() {
  return {{1.0, 1.0, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320, 1.0 / 362880,
           1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800.0}};
}

/// Constants of the reference exponential, shared by its scalar and vector forms.
///
/// exp(x) = 2^n * exp(r) with n = round(x / ln 2) and r = x - n ln 2, |r| <= ln(2)/2; ln 2 is split in two so
/// that n * kLn2High is exact; exp(r) is its Taylor polynomial of degree 13, by Horner's rule with separate
/// multiplications and additions. The relative error is below 4e-16 on the range used here.
struct CanonicalExp {
  static constexpr double kLog2E = 1.4426950408889634;
  static constexpr double kLn2High = 6.93147180369123816490e-01;  // 33 leading bits of ln 2
  static constexpr double kLn2Low = 1.90821492927058770002e-10;
  /// Adding and subtracting 1.5 * 2^52 rounds a small double to the nearest integer, ties to even.
  static constexpr double kRound = 6755399441055744.0;
  /// Below this the result is taken as 0: exp(-708) is the last normal float64.
  static constexpr double kLowest = -708.0;
  static constexpr int kDegree = 13;
  static constexpr ExpCoefficients kCoefficients = exp_coefficients();
};

/// exp(x) for x <= 0 with the same bits on every machine and device (the C library's exp differs between
/// systems).
GRANULE_HD inline double canonical_exp(double x) {
  if (!(x >= CanonicalExp::kLowest)) return 0.0;
  constexpr ExpCoefficients coefficients = exp_coefficients();
  const double shifted = x * CanonicalExp::kLog2E + CanonicalExp::kRound;
  const double n = shifted - CanonicalExp::kRound;
  const double r = (x - n * CanonicalExp::kLn2High) - n * CanonicalExp::kLn2Low;
  double p = coefficients.at[CanonicalExp::kDegree];
  for (int i = CanonicalExp::kDegree - 1; i >= 0; --i) p = p * r + coefficients.at[i];
  const uint64_t bits = static_cast<uint64_t>(static_cast<int64_t>(n) + 1023) << 52;
  double scale;
  memcpy(&scale, &bits, sizeof scale);
  return p * scale;
}

}  // namespace granule
