#include "late_interaction/interactive_aggregation.h"

#include <algorithm>

#include "core/canonical_dot.h"
#include "core/canonical_exp.h"

namespace granule {
namespace {

/// The greatest of one or more numbers, in lanes: one after another each would wait for the one before.
template <typename Number>
Number greatest_of(const Number* values, std::size_t count) {
  Number lane[kLanes];
  std::fill(lane, lane + kLanes, values[0]);
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::size_t l = 0; l < kLanes; ++l) lane[l] = values[i + l] > lane[l] ? values[i + l] : lane[l];
  }
  return std::max(*std::max_element(lane, lane + kLanes),
                  i < count ? *std::max_element(values + i, values + count) : values[0]);
}

}  // namespace

double InteractiveAggregation::both_ways(const float* tile, std::size_t rows, std::size_t columns,
                                         const BiIsaMixing& mixing, const CancelFlag& cancel) {
  transpose(tile, rows, columns);
  of_columns_.resize(columns);
  for (std::size_t j = 0; j < columns && !cancel.cancelled(); ++j) {
    of_columns_[j] = aggregate(transposed_.data() + j * rows, rows, mixing.words, cancel);
  }
  of_rows_.resize(rows);
  for (std::size_t i = 0; i < rows && !cancel.cancelled(); ++i) {
    of_rows_[i] = aggregate(tile + i * columns, columns, mixing.patches, cancel);
  }
  const double rows_first = aggregate(of_columns_.data(), columns, mixing.over_patches, cancel);
  const double columns_first = aggregate(of_rows_.data(), rows, mixing.over_words, cancel);
  return (rows_first + columns_first) / 2;
}

template <typename Number>
double InteractiveAggregation::aggregate(const Number* values, std::size_t count, const float* mixing,
                                         const CancelFlag& cancel) {
  weights_.resize(count);
  double* weights = weights_.data();
  const double sum = terms(values, count, greatest_of(values, count), weights);
  for (std::size_t i = 0; i < count; ++i) weights[i] /= sum;
  if (mixing != nullptr) mix(mixing, count, cancel);
  const double total = terms(weights_.data(), count, greatest_of(weights_.data(), count), weights_.data());
  return canonical_dot(weights_.data(), values, count) / total;
}

double InteractiveAggregation::terms(const float* values, std::size_t count, double greatest,
                                     double* out) const {
  return kernels_.softmax_terms(values, count, greatest, temperature_, out);
}

double InteractiveAggregation::terms(const double* values, std::size_t count, double greatest,
                                     double* out) const {
  double lane[kLanes] = {};
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = canonical_exp((values[i] - greatest) / temperature_);
    lane[i % kLanes] += out[i];
  }
  return sum_lanes(lane);
}

/// weights_ = weights_ W
void InteractiveAggregation::mix(const float* mixing, std::size_t count, const CancelFlag& cancel) {
  mixed_.assign(count, 0.0);
  double* mixed = mixed_.data();
  for (std::size_t i = 0; i < count && !cancel.cancelled(); ++i) {
    const float* row = mixing + i * count;
    const double weight = weights_[i];
    for (std::size_t j = 0; j < count; ++j) mixed[j] += weight * row[j];
  }
  weights_.swap(mixed_);
}

void InteractiveAggregation::transpose(const float* tile, std::size_t rows, std::size_t columns) {
  // A few columns at a time, so that what is written lies close together.
  constexpr std::size_t kColumns = 16;
  if (transposed_.size() < rows * columns) transposed_ = AlignedBuffer<float>(rows * columns);
  for (std::size_t first = 0; first < columns; first += kColumns) {
    const std::size_t end = std::min(columns, first + kColumns);
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t j = first; j < end; ++j) transposed_[j * rows + i] = tile[i * columns + j];
    }
  }
}

}  // namespace granule
