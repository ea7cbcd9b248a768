#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/cancel_flag.h"
#include "core/status.h"
#include "index/segment_writer.h"
#include "index/sparse/sparse_store.h"

namespace granule {

/// A segment file of a sparse index (docs/index-files.md), as its header describes it. The header has been
/// checked.
struct SparseSegmentFile {
  std::string path;
  /// Without its folder, for messages.
  std::string name;
  /// Where the tensors begin.
  uint64_t header_bytes = 0;
  uint64_t row_count = 0;
  uint64_t term_count = 0;
  /// Below 2^32.
  uint64_t posting_count = 0;
  /// CRC-32C of each tensor, in file order.
  std::vector<uint32_t> checksums;
};

/// Writes the rows of a snapshot from `first_row` up to the end of the segment that holds it, and flushes
/// the file to the disk.
///
/// @param first_row below the snapshot's row_count
/// @return file_not_writable, aborted
/// @throws std::bad_alloc
Status write_sparse_segment(Engine& engine, const SparseSnapshot& snapshot, bool saturating,
                            uint64_t first_row, const std::string& path, unsigned threads,
                            const CancelFlag& cancel, WrittenSegment* written);

/// Reads segment files. Nothing in them is trusted: whatever they hold, a segment is sound or refused.
///
/// @return file_not_found where a file cannot be opened; index_corrupt with its name where it is not what was
/// written; aborted
/// @throws std::bad_alloc
Status open_sparse_segments(Engine& engine, bool saturating, const std::vector<SparseSegmentFile>& files,
                            unsigned threads, const CancelFlag& cancel,
                            std::vector<std::shared_ptr<const SparseSegment>>* segments);

}  // namespace granule
