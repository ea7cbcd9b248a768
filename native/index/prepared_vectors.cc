#include "index/prepared_vectors.h"

#include <cmath>
#include <cstdio>

#include "core/aligned_buffer.h"
#include "core/finite.h"
#include "kernels/stored_vectors.h"

namespace granule {

const char* show_not_finite(float value) {
  return std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}

void FirstNotFinite::report(uint64_t row, uint64_t column, float value, Dtype dtype) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (found_ && row_ <= row) return;
  found_ = true;
  row_ = row;
  column_ = column;
  value_ = value;
  dtype_ = dtype;
}

Status FirstNotFinite::status(const std::string& what) const {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!found_) return Status::success();
  std::string reason = show_not_finite(value_);
  if (dtype_ != Dtype::f32) {
    char text[96];
    std::snprintf(text, sizeof text, "%.9g, which %s", static_cast<double>(value_),
                  dtype_ == Dtype::f16 ? "float16 cannot hold (at most 65504)"
                                       : "bfloat16 cannot hold (at most 3.38953139e38)");
    reason = text;
  }
  return Status::failure(
      StatusCode::not_finite,
      what + " " + std::to_string(row_) + ", column " + std::to_string(column_) + " is " + reason,
      static_cast<int64_t>(row_), static_cast<int64_t>(column_));
}

bool prepare_vectors(const KernelTable& kernels, const float* in, std::size_t count, std::size_t dimension,
                     Metric metric, uint64_t first_row, float* out, double* squared_norms,
                     FirstNotFinite* first_bad) {
  for (std::size_t v = 0; v < count; ++v) {
    float* vector = out + v * dimension;
    if (!kernels.copy_finite(in + v * dimension, dimension, vector)) {
      std::size_t column = 0;
      while (std::isfinite(vector[column])) ++column;
      first_bad->report(first_row + v, column, vector[column]);
      return false;
    }
    if (metric == Metric::inner_product) continue;
    const double squared_norm = kernels.squared_norm(vector, dimension);
    if (metric == Metric::squared_l2) {
      squared_norms[v] = squared_norm;
    } else if (squared_norm > 0) {
      kernels.divide(vector, dimension, std::sqrt(squared_norm));
    }
  }
  return true;
}

bool narrow_vectors(const KernelTable& kernels, Dtype dtype, const float* in, std::size_t count,
                    std::size_t dimension, uint64_t first_row, void* out, double* squared_norms,
                    FirstNotFinite* first_bad) {
  auto* halves = static_cast<uint16_t*>(out);
  if (dtype == Dtype::f16) {
    kernels.narrow_f16(in, count * dimension, halves);
  } else {
    kernels.narrow_bf16(in, count * dimension, halves);
  }
  AlignedBuffer<float> kept(dimension);
  for (std::size_t v = 0; v < count; ++v) {
    const float* vector = as_float32(kernels, dtype, halves + v * dimension, dimension, kept.data());
    if (!all_finite(vector, dimension)) {
      std::size_t column = 0;
      while (std::isfinite(vector[column])) ++column;
      first_bad->report(first_row + v, column, in[v * dimension + column], dtype);
      return false;
    }
    if (squared_norms != nullptr) squared_norms[v] = kernels.squared_norm(vector, dimension);
  }
  return true;
}

}  // namespace granule
