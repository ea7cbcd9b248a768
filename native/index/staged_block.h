#pragma once

#include <cstddef>
#include <cstdint>

#include "core/aligned_buffer.h"
#include "index/prepared_vectors.h"
#include "index/segment.h"
#include "kernels/kernel_table.h"

namespace granule {

/// Up to 16 new vectors on their way into a segment: prepared and coded in the cache, then written out in one
/// go.
class StagedBlock {
 public:
  /// @param streamed whether whole blocks go past the caches
  /// @throws std::bad_alloc
  StagedBlock(const KernelTable& kernels, const StoreOptions& options, bool streamed);

  /// Takes in up to 16 vectors: checked, normalised for cosine, narrowed to the dtype.
  ///
  /// @param first_row number of the first vector, for `first_bad`
  /// @param squared_norms receives the vectors' squared norms; null unless the metric is squared L2
  /// @return whether the dtype holds them; where not, `first_bad` has been told
  bool prepare(const float* vectors, std::size_t count, uint64_t first_row, double* squared_norms,
               FirstNotFinite* first_bad);

  /// Writes the 16 that are prepared to vectors `at`, a multiple of 16, and on, with their codes.
  ///
  /// @param next the 16 that will be prepared after them, which the cache may load meanwhile; null: unknown
  /// @return false where the bounds of codes do not hold for them
  bool store_whole(Segment& segment, std::size_t at, const float* next);

  /// Writes the `count` that are prepared to vectors `at` and on, without codes.
  void store_part(Segment& segment, std::size_t at, std::size_t count) const;

  /// Codes the 16 vectors of a segment from `at`, a multiple of 16, on.
  ///
  /// @return false where the bounds of codes do not hold for them
  bool encode_stored(Segment& segment, std::size_t at);

 private:
  const uint8_t* prepared() const;
  bool encode(const void* vectors, const QuantizeTraffic& traffic, Segment& segment, std::size_t at);

  const KernelTable& kernels_;
  const StoreOptions& options_;
  const bool streamed_;
  AlignedBuffer<float> vectors_;
  /// As the dtype has them, and in float32 again; empty for float32.
  AlignedBuffer<uint8_t> narrowed_;
  AlignedBuffer<float> widened_;
  /// Norms that are measured before narrowing, and not kept.
  AlignedBuffer<double> unused_norms_;
};

}  // namespace granule
