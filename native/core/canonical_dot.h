#pragma once

#include <cstddef>

namespace granule {

/// Lanes of the reference accumulation.
inline constexpr std::size_t kLanes = 8;

/// Adds eight lanes pairwise: ((0+1)+(2+3)) + ((4+5)+(6+7)).
inline double sum_lanes(const double lane[kLanes]) {
  return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

/// The reference inner product before its rounding to float32: lane l adds, in order, the products of
/// elements l, l + 8, l + 16, ...; `sum_lanes` adds the lanes. A product of two float32 is exact in float64,
/// so fused and unfused multiply-add give the same bits. Every kernel is held to this function.
template <typename A, typename B>
double canonical_dot(const A* a, const B* b, std::size_t dimension) {
  double lane[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= dimension; i += kLanes) {
    for (std::size_t l = 0; l < kLanes; ++l) {
      lane[l] += static_cast<double>(a[i + l]) * static_cast<double>(b[i + l]);
    }
  }
  for (std::size_t l = 0; i + l < dimension; ++l) {
    lane[l] += static_cast<double>(a[i + l]) * static_cast<double>(b[i + l]);
  }
  return sum_lanes(lane);
}

}  // namespace granule
