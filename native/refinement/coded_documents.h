#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "backends/backend.h"
#include "core/aligned_buffer.h"
#include "core/cancel_flag.h"
#include "core/thread_pool.h"
#include "index/prepared_vectors.h"
#include "kernels/kernel_table.h"

namespace granule {

/// Documents of several float32 vectors each, which stay where the caller has them, with int8 codes of all
/// vectors (core/code_layout.h); the last block is filled up with zeros.
class CodedDocuments {
 public:
  /// @param lengths vectors per document, none 0
  CodedDocuments(const float* vectors, std::size_t dimension, const uint32_t* lengths, std::size_t count);

  /// Codes the vectors; before everything below.
  ///
  /// @param first_bad is told of vectors that are not finite
  void code(ThreadPool& pool, unsigned threads, const KernelTable& kernels, const CancelFlag& cancel,
            FirstNotFinite* first_bad);

  std::size_t count() const { return first_rows_.size() - 1; }
  std::size_t dimension() const { return dimension_; }
  uint64_t rows() const { return first_rows_.back(); }
  uint64_t first_row(std::size_t document) const { return first_rows_[document]; }
  std::size_t length(std::size_t document) const {
    return static_cast<std::size_t>(first_rows_[document + 1] - first_rows_[document]);
  }
  const float* vector(uint64_t row) const { return vectors_ + row * dimension_; }
  /// At least the norm of each of a document's vectors; infinity where the codes do not bound it.
  double norm(std::size_t document) const { return norms_[document]; }
  /// Whether every vector's codes bound its similarities.
  bool codes_serve() const { return codes_serve_; }
  /// The documents as a scan of codes wants them.
  granule_segment segment() const;

 private:
  /// @return whether the codes of the block serve
  bool code_block(std::size_t block, const KernelTable& kernels, float* scratch, FirstNotFinite* first_bad);

  const float* vectors_;
  std::size_t dimension_;
  /// One more than there are documents.
  std::vector<uint64_t> first_rows_;
  std::size_t blocks_;
  AlignedBuffer<uint8_t> codes_;
  AlignedBuffer<float> scales_;
  AlignedBuffer<float> residual_norms_;
  AlignedBuffer<float> code_norms_;
  std::vector<double> norms_;
  bool codes_serve_ = false;
};

}  // namespace granule
