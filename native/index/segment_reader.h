#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/cancel_flag.h"
#include "core/status.h"
#include "index/segment.h"
#include "index/segment_layout.h"

namespace granule {

/// A segment file, as its header describes it. The header has been checked: it is the one that belongs to the
/// contents.
struct SegmentFile {
  std::string path;
  /// Without its folder, for messages.
  std::string name;
  /// Where the tensors begin.
  uint64_t header_bytes = 0;
  SegmentContents contents;
  /// CRC-32C of each tensor, in the order of the layout.
  std::vector<uint32_t> checksums;
};

/// Opens segment files. All tensors are read and checked, but with `mapped` the vectors: those stay in their
/// file and are checked when they are first used.
///
/// @return file_not_found where a file cannot be opened; index_corrupt with its name where it is not what was
/// written; aborted
/// @throws std::bad_alloc
Status open_segments(const std::shared_ptr<Engine>& engine, const StoreOptions& options,
                     const std::vector<SegmentFile>& files, bool mapped, unsigned threads,
                     const CancelFlag& cancel, std::vector<std::shared_ptr<Segment>>* segments);

}  // namespace granule
