#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>

#include "core/dtype.h"
#include "core/score.h"
#include "core/status.h"
#include "kernels/kernel_table.h"

namespace granule {

/// "NaN", "Infinity" or "-Infinity".
const char* show_not_finite(float value);

/// The first NaN or infinity of an input, or number that the dtype cannot hold, in row order, whichever
/// thread meets it when.
class FirstNotFinite {
 public:
  void report(uint64_t row, uint64_t column, float value, Dtype dtype = Dtype::f32);
  /// not_finite with its place; `what` names a row in the message. Success where all was well.
  Status status(const std::string& what) const;

 private:
  mutable std::mutex mutex_;
  bool found_ = false;
  uint64_t row_ = 0;
  uint64_t column_ = 0;
  float value_ = 0;
  Dtype dtype_ = Dtype::f32;
};

/// Copies vectors as an index keeps them: checked to be finite and, for cosine, normalised:
///
///     out_i = float32(in_i / sqrt(|in|^2))      |in|^2 by the reference inner product, division and root in
///     float64
///
/// A zero vector stays zero. For squared L2, `squared_norms` receives |out|^2.
///
/// @param first_row number of the first vector, for `first_bad`
/// @param squared_norms null unless the metric is squared L2
/// @return whether all were finite; where not, `first_bad` has been told
bool prepare_vectors(const KernelTable& kernels, const float* in, std::size_t count, std::size_t dimension,
                     Metric metric, uint64_t first_row, float* out, double* squared_norms,
                     FirstNotFinite* first_bad);

/// Rounds prepared vectors to the nearest numbers of a 16-bit dtype, ties to even.
///
/// @param squared_norms receives |out|^2 by the reference inner product; null: not wanted
/// @return whether the dtype could hold all; where not, `first_bad` has been told of the first that is too
/// large
bool narrow_vectors(const KernelTable& kernels, Dtype dtype, const float* in, std::size_t count,
                    std::size_t dimension, uint64_t first_row, void* out, double* squared_norms,
                    FirstNotFinite* first_bad);

}  // namespace granule
