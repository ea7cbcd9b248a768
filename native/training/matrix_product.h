#pragma once

#include <cstddef>

#include "core/cancel_flag.h"
#include "core/thread_pool.h"
#include "kernels/kernel_table.h"

namespace granule {

/// A factor of a product. Element (i, j) lies at data[i * stride + j] or, transposed, at data[j * stride +
/// i].
struct MatrixFactor {
  const float* data;
  std::size_t stride;
  bool transposed = false;
};

/// C = A B or C += A B; A has rows x depth elements, B depth x columns, and C, whose row i begins at
/// c + i * c_stride, lies apart from both.
struct MatrixProduct {
  MatrixFactor a;
  MatrixFactor b;
  std::size_t rows;
  std::size_t columns;
  std::size_t depth;
  float* c;
  std::size_t c_stride;
  bool accumulate = false;
};

/// Threads and kernels that work on matrices, and the flag that stops them.
struct MatrixWorkers {
  ThreadPool& pool;
  const KernelTable& kernels;
  unsigned threads;
  const CancelFlag& cancel;
};

/// Computes a product of any size: every element is one chain of fused multiply-adds in ascending k, from 0
/// or from what C held (kernels/matrix_product/matrix_product.h), so that neither threads nor instruction
/// sets change a bit. Without depth C becomes 0, or stays. Takes 1 MiB for the packed part of B, up to 8
/// MiB where A has a thousand rows or more, and 130 KiB per thread.
///
/// @return false where it was cancelled: C is then neither old nor new
/// @throws std::bad_alloc
[[nodiscard]] bool multiply(const MatrixWorkers& workers, const MatrixProduct& product);

}  // namespace granule
