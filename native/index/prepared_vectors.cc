#include "index/prepared_vectors.h"

#include <cmath>
#include <cstring>

#include "core/canonical_dot.h"

namespace granule {

void FirstNotFinite::report(uint64_t row, uint64_t column, float value) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (found_ && row_ <= row) return;
  found_ = true;
  row_ = row;
  column_ = column;
  value_ = value;
}

Status FirstNotFinite::status(const std::string& what) const {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!found_) return Status::success();
  const char* name = std::isnan(value_) ? "NaN" : value_ > 0 ? "Infinity" : "-Infinity";
  return Status::failure(
      StatusCode::not_finite,
      what + " " + std::to_string(row_) + ", column " + std::to_string(column_) + " is " + name,
      static_cast<int64_t>(row_), static_cast<int64_t>(column_));
}

namespace {

/// Whether all are finite, without a branch per element: the exponent of a NaN or an infinity is all ones.
bool all_finite(const float* values, std::size_t count) {
  uint32_t any = 0;
  for (std::size_t i = 0; i < count; ++i) {
    uint32_t bits;
    std::memcpy(&bits, values + i, sizeof bits);
    any |= static_cast<uint32_t>((bits & 0x7f800000u) == 0x7f800000u);
  }
  return any == 0;
}

}  // namespace

void prepare_vectors(const float* in, std::size_t count, std::size_t dimension, Metric metric,
                     uint64_t first_row, float* out, double* squared_norms, FirstNotFinite* first_bad) {
  // Copied first and checked afterwards, so that what was checked is what is kept even if the caller's array
  // changes.
  std::memcpy(out, in, count * dimension * sizeof(float));
  for (std::size_t v = 0; v < count; ++v) {
    float* vector = out + v * dimension;
    if (!all_finite(vector, dimension)) {
      std::size_t column = 0;
      while (std::isfinite(vector[column])) ++column;
      first_bad->report(first_row + v, column, vector[column]);
      return;
    }
    if (metric == Metric::inner_product) continue;
    const double squared_norm = canonical_dot(vector, vector, dimension);
    if (metric == Metric::squared_l2) {
      squared_norms[v] = squared_norm;
    } else if (squared_norm > 0) {
      const double norm = std::sqrt(squared_norm);
      for (std::size_t i = 0; i < dimension; ++i) {
        vector[i] = static_cast<float>(static_cast<double>(vector[i]) / norm);
      }
    }
  }
}

}  // namespace granule
