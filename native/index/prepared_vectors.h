#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>

#include "core/score.h"
#include "core/status.h"

namespace granule {

/// The first NaN or infinity of an input, in row order, whichever thread meets it when.
class FirstNotFinite {
 public:
  void report(uint64_t row, uint64_t column, float value);
  /// not_finite with its place; `what` names a row in the message. Success where all was finite.
  Status status(const std::string& what) const;

 private:
  mutable std::mutex mutex_;
  bool found_ = false;
  uint64_t row_ = 0;
  uint64_t column_ = 0;
  float value_ = 0;
};

/// Copies vectors as an index keeps them: checked to be finite and, for cosine, normalised:
///
///     out_i = float32(in_i / sqrt(|in|^2))      |in|^2 by the reference inner product, division and root in
///     float64
///
/// A zero vector stays zero. For squared L2, `squared_norms` receives |out|^2.
///
/// @param first_row number of the first vector, for `first_bad`
void prepare_vectors(const float* in, std::size_t count, std::size_t dimension, Metric metric,
                     uint64_t first_row, float* out, double* squared_norms, FirstNotFinite* first_bad);

}  // namespace granule
