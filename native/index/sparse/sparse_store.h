#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "core/cancel_flag.h"
#include "core/status.h"
#include "index/engine.h"
#include "index/sparse/sparse_rows.h"
#include "index/sparse/sparse_segment.h"

namespace granule {

/// A segment and the number of its first row.
struct PlacedSegment {
  std::shared_ptr<const SparseSegment> segment;
  uint64_t first_row;
};

/// A consistent state of a sparse store: what a search sees from its beginning to its end.
struct SparseSnapshot {
  std::vector<PlacedSegment> segments;
  uint64_t row_count = 0;
  uint64_t posting_count = 0;
  uint64_t bytes = 0;
  /// Sum of the rows' lengths in row order, removed rows included.
  double total_length = 0;
  /// Bit r & 7 of byte r >> 3 says that row r was not removed; null while none was.
  std::shared_ptr<const std::vector<uint8_t>> live;
  uint64_t removed_count = 0;

  bool is_live(uint64_t row) const { return live == nullptr || ((*live)[row >> 3] >> (row & 7) & 1) != 0; }
  /// Rows that hold a term, removed ones included.
  uint64_t document_frequency(uint32_t term) const;
};

/// The rows of a sparse store without those that were removed, not yet shown.
struct SparseCompaction {
  /// What was compacted.
  std::shared_ptr<const SparseSnapshot> base;
  std::shared_ptr<const SparseSnapshot> next;
  /// The former number of each row.
  std::vector<uint32_t> former_rows;
};

/// Rows of terms and weights in inverted segments. Each add makes a segment; neighbours of like size are
/// merged, so that their number grows with the logarithm of the rows.
class SparseStore {
 public:
  /// Rows are numbered below this; 0xffffffff marks an unused place in a result.
  static constexpr uint64_t kMaxRows = 0xffffffffu;

  /// @param saturating rows have lengths, and values above 0
  SparseStore(std::shared_ptr<Engine> engine, bool saturating);

  /// Appends rows; all or nothing.
  ///
  /// @param lengths one per row where the store is saturating, else null
  /// @param first_row receives the number of the first row
  /// @return length_mismatch, invalid_argument, not_finite, index_full, aborted
  /// @throws std::bad_alloc
  Status add(const SparseRows& rows, const float* lengths, unsigned threads, const CancelFlag& cancel,
             uint64_t* first_row);

  /// Takes rows out of all later searches; see SegmentStore::remove.
  ///
  /// @return row_not_found; nothing is removed then
  /// @throws std::bad_alloc
  Status remove(const uint32_t* rows, std::size_t count, uint64_t* removed);

  /// Copies the rows that were not removed, numbered anew in their order, for `adopt`.
  ///
  /// @return aborted
  /// @throws std::bad_alloc
  Status compact(unsigned threads, const CancelFlag& cancel, SparseCompaction* result);

  /// Shows a compaction's rows from now on; false, and nothing changes, where the store has changed since.
  bool adopt(SparseCompaction compaction);

  /// Shows the rows of segments that came from files, in the order given. The store must hold no rows.
  ///
  /// @param removed bit r & 7 of byte r >> 3 says that row r is removed, ceil(rows / 8) bytes; null where
  /// none is
  /// @return index_full, aborted
  /// @throws std::bad_alloc
  Status adopt_files(std::vector<std::shared_ptr<const SparseSegment>> segments, const uint8_t* removed,
                     unsigned threads, const CancelFlag& cancel);

  std::shared_ptr<const SparseSnapshot> snapshot() const;

  bool saturating() const { return saturating_; }
  Engine& engine() const { return *engine_; }

 private:
  void publish(std::shared_ptr<const SparseSnapshot> next);

  const std::shared_ptr<Engine> engine_;
  const bool saturating_;
  /// Held by the one call that adds, removes or compacts.
  std::mutex writer_;
  mutable std::mutex state_;
  std::shared_ptr<const SparseSnapshot> snapshot_;
};

}  // namespace granule
