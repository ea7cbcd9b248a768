#pragma once

#include <cstddef>

#include "core/canonical_dot.h"

namespace granule {

/// |a - b|^2 in float64 over the eight lanes of the reference arithmetic: lane l adds, in order, the squares
/// of differences l, l + 8, l + 16, ...; `sum_lanes` adds the lanes. The square of a difference is rounded
/// before it is added: the same bits on every machine need a compiler that does not contract
/// (-ffp-contract=off).
inline double squared_distance(const double* a, const double* b, std::size_t dimension) {
  double lane[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= dimension; i += kLanes) {
    for (std::size_t l = 0; l < kLanes; ++l) {
      const double difference = a[i + l] - b[i + l];
      lane[l] += difference * difference;
    }
  }
  for (std::size_t l = 0; i + l < dimension; ++l) {
    const double difference = a[i + l] - b[i + l];
    lane[l] += difference * difference;
  }
  return sum_lanes(lane);
}

}  // namespace granule
