#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "index/segment.h"
#include "index/tensor_header.h"

namespace granule {

/// What a segment file holds (docs/index-files.md).
struct SegmentContents {
  uint64_t row_count = 0;
  uint64_t vector_count = 0;
  /// Whole blocks of 16 vectors have codes.
  bool coded = false;
  /// Rows have biases.
  bool biased = false;
};

/// The tensors of a segment file, in the order in which they lie. They follow from the contents alone.
class SegmentLayout {
 public:
  enum Kind {
    kCodes,
    kSquaredNorms,
    kOffsets,
    kScales,
    kResidualNorms,
    kCodeNorms,
    kBiases,
    kVectorChecksums,
    kVectors,
    kKinds
  };

  struct Tensor : FileTensor {
    Kind kind;
  };

  SegmentLayout(const StoreOptions& options, const SegmentContents& contents);

  const std::vector<Tensor>& tensors() const { return tensors_; }
  /// Bytes of all tensors.
  uint64_t data_bytes() const { return data_bytes_; }

  /// What comes before the tensors: 8 bytes of length and JSON, together a multiple of 64 bytes. Its size
  /// does not depend on the checksums.
  ///
  /// @param checksums CRC-32C of each tensor, in order
  std::string header(const std::vector<uint32_t>& checksums) const;

 private:
  void add(Kind kind, const char* name, const char* dtype, uint64_t item_bytes, std::vector<uint64_t> shape);

  const StoreOptions options_;
  const SegmentContents contents_;
  std::vector<Tensor> tensors_;
  uint64_t data_bytes_ = 0;
};

}  // namespace granule
