#pragma once

#include <cstdint>
#include <string>

#include "core/cancel_flag.h"
#include "core/status.h"
#include "index/segment.h"

namespace granule {

/// Bytes of vectors and codes after which a segment file ends.
inline constexpr uint64_t kSegmentFileBytes = uint64_t{1} << 30;

/// What was written.
struct WrittenSegment {
  uint64_t row_count = 0;
  uint64_t vector_count = 0;
  /// Of the whole file.
  uint64_t bytes = 0;
  /// All that comes before the tensors.
  std::string header;
};

/// Writes the rows of a snapshot from `first_row` on, as many as go into one file, and flushes it to the
/// disk. Vectors lie in the file in blocks of 16 of their own: codes are copied where the blocks agree with
/// those in memory, and made anew where they do not. A file in which one row's codes would not bound its
/// score has no codes at all.
///
/// @param first_row below the snapshot's row_count
/// @param most_bytes of vectors and codes; at least one row is written
/// @return file_not_writable; index_corrupt where a file that the snapshot maps is damaged; aborted
/// @throws std::bad_alloc
Status write_segment(Engine& engine, const StoreOptions& options, const Snapshot& snapshot,
                     uint64_t first_row, const std::string& path, uint64_t most_bytes, unsigned threads,
                     const CancelFlag& cancel, WrittenSegment* written);

}  // namespace granule
