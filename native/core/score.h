#pragma once

#include <cstdint>

namespace granule {

/// How rows are compared with a query. The values are part of the backend interface and of the JavaScript
/// border.
enum class Metric : int32_t { inner_product = 0, cosine = 1, squared_l2 = 2 };

/// A score before its one rounding to float32, from the reference inner product `dot`.
///
/// Inner product and cosine (whose vectors are normalised beforehand): dot. Squared L2: -(|q - x|^2),
/// evaluated as (2 dot - |x|^2) - |q|^2, which is exactly 0 for equal vectors. Doubling is exact, so
/// contraction changes nothing.
inline double score_of(Metric metric, double dot, double row_squared_norm, double query_squared_norm) {
  if (metric != Metric::squared_l2) return dot;
  return (2.0 * dot - row_squared_norm) - query_squared_norm;
}

}  // namespace granule
