#pragma once

#include <cstdint>
#include <cstring>

#include "core/canonical_exp.h"

namespace granule {

/// ln x for finite x >= 1 with the same bits on every machine (the C library's log differs between systems).
///
/// x = 2^e f with f from sqrt(1/2) to sqrt(2) and g = f - 1, which is exact; with s = g / (2 + g)
///
///     ln f = 2 atanh s = g - s (g - R),   R = 2/3 s^2 + 2/5 s^4 + ... + 2/21 s^20   (Horner's rule)
///
/// whose remainder is below 1e-18 of it. To that is added e ln 2, in two parts, of which e * kLn2High is
/// exact. No operation is fused; the error is below one unit in the last place.
inline double canonical_log(double x) {
  constexpr double kSqrt2 = 1.4142135623730951;
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  auto exponent = static_cast<int64_t>(bits >> 52) - 1023;
  bits = (bits & 0x000fffffffffffffu) | 0x3ff0000000000000u;
  double f;
  memcpy(&f, &bits, sizeof f);
  if (f > kSqrt2) {
    f *= 0.5;
    ++exponent;
  }
  const auto e = static_cast<double>(exponent);
  const double g = f - 1.0;
  const double s = g / (2.0 + g);
  const double z = s * s;
  double r = 2.0 / 21;
  for (int i = 19; i >= 3; i -= 2) r = r * z + 2.0 / i;
  r *= z;
  return e * CanonicalExp::kLn2High - ((s * (g - r) - e * CanonicalExp::kLn2Low) - g);
}

}  // namespace granule
