#pragma once

#include <cstddef>
#include <vector>

#include "core/aligned_buffer.h"
#include "core/cancel_flag.h"
#include "kernels/kernel_table.h"

namespace granule {

/// The matrices W of Bi-ISA's four aggregations, row-major and finite; null: the identity.
struct BiIsaMixing {
  /// n_q x n_q, of a document vector's similarities over the query's.
  const float* words = nullptr;
  /// n_d x n_d, of the document vectors' results that follow from it.
  const float* over_patches = nullptr;
  /// n_d x n_d, of a query vector's similarities over the document's.
  const float* patches = nullptr;
  /// n_q x n_q, of the query vectors' results that follow from it.
  const float* over_words = nullptr;
};

/// Interactive similarity aggregation of numbers c_i:
///
///     p = softmax(c / t)      w = softmax(p W / t)      I(c) = sum_i w_i c_i
///
/// in float64; exponentials by the reference (core/canonical_exp.h), added in eight lanes as the reference
/// inner product, (p W)_j over i ascending. Keeps its memory from call to call; for one thread.
class InteractiveAggregation {
 public:
  InteractiveAggregation(const KernelTable& kernels, double temperature)
      : kernels_(kernels), temperature_(temperature) {}

  /// Over the rows of each column, then over the columns; over the columns of each row, then over the rows;
  /// the mean of the two.
  ///
  /// @param tile rows x columns finite numbers
  /// @return no number that means anything where cancelled
  double both_ways(const float* tile, std::size_t rows, std::size_t columns, const BiIsaMixing& mixing,
                   const CancelFlag& cancel);

 private:
  template <typename Number>
  double aggregate(const Number* values, std::size_t count, const float* mixing, const CancelFlag& cancel);
  double terms(const float* values, std::size_t count, double greatest, double* out) const;
  double terms(const double* values, std::size_t count, double greatest, double* out) const;
  void mix(const float* mixing, std::size_t count, const CancelFlag& cancel);
  void transpose(const float* tile, std::size_t rows, std::size_t columns);

  const KernelTable& kernels_;
  double temperature_;
  AlignedBuffer<float> transposed_;
  std::vector<double> of_columns_;
  std::vector<double> of_rows_;
  std::vector<double> weights_;
  std::vector<double> mixed_;
};

}  // namespace granule
