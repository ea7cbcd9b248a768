#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "backends/backend.h"
#include "backends/cuda/device_memory.h"
#include "backends/cuda/device_types.h"
#include "backends/cuda/resident_segments.h"

namespace granule::cuda {

/// What kernels look rows up in: the segments of a search that one device holds, in ascending order of rows.
/// It stays as it is for as long as the index does, so that the next search finds it on the device.
struct SnapshotTables {
  /// One for each segment, which it keeps.
  std::vector<std::shared_ptr<const ResidentSegment>> residents;
  DeviceArray<SegmentView> segments;
  /// The place of the segment of each tile of codes.
  DeviceArray<uint32_t> segment_of_tile;
  /// The rows, where they are asked for, here and on the device.
  std::vector<uint32_t> rows;
  DeviceArray<uint32_t> device_rows;
  uint64_t row_count = 0;
  /// Whether the bounds of codes hold for all rows.
  bool in_range = true;
  /// Whether the device holds all vectors.
  bool has_vectors = true;

  uint32_t tiles() const { return static_cast<uint32_t>(segment_of_tile.size()); }
  uint32_t segment_count() const { return static_cast<uint32_t>(residents.size()); }
};

/// The tables of the last few snapshots.
class SnapshotTableStore {
 public:
  SnapshotTableStore() = default;

  /// The tables of `segments`, which are brought to the device where they are not there.
  ///
  /// @param list_rows whether the rows are listed, always the same for a segment
  /// @throws CudaFailure, Damaged
  std::shared_ptr<const SnapshotTables> get(ResidentSegments& residents, const granule_search& search,
                                            const std::vector<const granule_segment*>& segments,
                                            bool list_rows);

  /// Forgets the tables that a segment is in; searches that use them keep them until they end.
  void release(uint64_t id);

 private:
  /// A segment as a snapshot shows it.
  struct Part {
    uint64_t id;
    uint64_t first_row;
    uint64_t row_count;
    bool operator==(const Part&) const = default;
  };
  struct Entry {
    std::vector<Part> parts;
    std::shared_ptr<const SnapshotTables> tables;
  };

  std::shared_ptr<const SnapshotTables> make(const granule_search& search,
                                             const std::vector<const granule_segment*>& segments,
                                             std::vector<std::shared_ptr<const ResidentSegment>> residents,
                                             bool list_rows);

  // Outlive the arrays.
  Stream memory_stream_;
  Stream stream_;
  std::mutex mutex_;
  /// The last used first.
  std::list<Entry> entries_;
};

}  // namespace granule::cuda
