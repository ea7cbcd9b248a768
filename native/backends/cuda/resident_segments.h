#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "backends/backend.h"
#include "backends/cuda/device_memory.h"
#include "backends/cuda/device_types.h"
#include "backends/cuda/host_uploads.h"

namespace granule::cuda {

/// Copies of a segment's rows on a device. Rows are only appended, as in the segment itself.
struct ResidentSegment {
  /// Vectors that there is room for.
  std::size_t capacity = 0;
  /// Vectors and rows that are there.
  std::size_t vector_count = 0;
  std::size_t row_count = 0;
  /// Whether the bounds of codes hold for all of them.
  std::atomic<bool> in_range{true};
  DeviceArray<int8_t> codes;
  DeviceArray<float> scales;
  DeviceArray<float> residual_norms;
  DeviceArray<float> code_norms;
  DeviceArray<float> biases;
  /// Empty where the device has no room for them.
  DeviceArray<uint8_t> vectors;
  DeviceArray<double> squared_norms;
  DeviceArray<float> row_biases;
  DeviceArray<uint64_t> row_offsets;

  /// As a search of `segment` sees it.
  SegmentView view(const granule_segment& segment, uint32_t first_tile) const;
};

/// The segments that a device holds. Codes and all that goes with them must have room there; vectors stay
/// with the host where they have none.
class ResidentSegments {
 public:
  ResidentSegments() = default;

  /// The segment, with at least the rows that `search` shows; brings what is missing.
  ///
  /// @throws CudaFailure, Damaged, Cancelled; what had been brought of the segment is then brought again
  std::shared_ptr<const ResidentSegment> ensure(const granule_search& search, const granule_segment& segment);

  /// Searches that use the segment keep it until they end.
  ///
  /// @return whether it was the last that the device held
  bool release(uint64_t id);

 private:
  std::shared_ptr<ResidentSegment> make(const granule_search& search, const granule_segment& segment,
                                        std::size_t capacity);
  void append(const granule_search& search, const granule_segment& segment, ResidentSegment* resident);
  void append_vectors(const granule_search& search, const granule_segment& segment, std::size_t first,
                      std::size_t end, const Stream& stream, HostUploads* uploads, ResidentSegment* resident);

  struct Slot {
    /// Held while the segment is looked at or brought.
    std::mutex mutex;
    std::shared_ptr<ResidentSegment> resident;
  };

  // Outlives the arrays.
  Stream memory_stream_;
  std::mutex mutex_;
  std::unordered_map<uint64_t, std::shared_ptr<Slot>> slots_;
};

}  // namespace granule::cuda
