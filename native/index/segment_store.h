#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "core/cancel_flag.h"
#include "core/status.h"
#include "index/engine.h"
#include "index/reserved_segments.h"
#include "index/segment.h"
#include "index/segment_fill.h"

namespace granule {

/// Rows to add.
struct NewRows {
  /// vector_count x dimension.
  const float* vectors = nullptr;
  uint64_t vector_count = 0;
  /// Of row_count documents, in vectors; null for a flat store, where row_count is vector_count.
  const uint32_t* lengths = nullptr;
  uint64_t row_count = 0;
  /// What is added to each row's score; null: nothing.
  const float* biases = nullptr;
};

/// The rows of a store without those that were removed, not yet shown.
struct Compaction {
  /// What was compacted.
  std::shared_ptr<const Snapshot> base;
  std::shared_ptr<const Snapshot> next;
  /// The former number of each row.
  std::vector<uint32_t> former_rows;
  std::vector<SegmentPiece> pieces;
};

/// Append-only rows in segments: vectors (flat index) or documents of several vectors (multi-vector index).
/// Nothing ever moves, so adding neither copies what is there nor disturbs a search.
class SegmentStore {
 public:
  /// Rows are numbered below this; 0xffffffff marks an unused place in a result.
  static constexpr uint64_t kMaxRows = 0xffffffffu;

  SegmentStore(std::shared_ptr<Engine> engine, const StoreOptions& options);

  /// Appends rows; all or nothing. For cosine vectors are normalised first, then rounded to the dtype.
  ///
  /// @param first_row receives the number of the first row
  /// @return not_finite with the vector's and the column's number, empty_document, length_mismatch,
  /// index_full, aborted
  /// @throws std::bad_alloc
  Status add(const NewRows& rows, unsigned threads, const CancelFlag& cancel, uint64_t* first_row);

  /// Makes room for vectors that are still to be added, in memory that is there already: the system gives out
  /// a page when it is first touched, which takes longer than filling it.
  ///
  /// @return aborted; nothing is reserved then
  /// @throws std::bad_alloc
  Status reserve(uint64_t vectors, unsigned threads, const CancelFlag& cancel);

  /// Takes rows out of all later searches. They keep their numbers and their memory until `compact`.
  ///
  /// @param rows in any order; repeats and rows that are removed already count once
  /// @param removed receives how many were there before and are not now
  /// @return row_not_found with the number of a row that never was; nothing is removed then
  /// @throws std::bad_alloc
  Status remove(const uint32_t* rows, std::size_t count, uint64_t* removed);

  /// Copies the rows that were not removed, numbered anew in their order. The store shows them when the
  /// result is adopted.
  ///
  /// @return index_corrupt, aborted
  /// @throws std::bad_alloc
  Status compact(unsigned threads, const CancelFlag& cancel, Compaction* result);

  /// Shows a compaction's rows from now on, and drops what was reserved; false, and nothing changes, where
  /// the store has changed since.
  bool adopt(Compaction compaction);

  /// Shows the rows of segments that came from files, in the order given. The store must hold no rows.
  ///
  /// @param removed bit r & 7 of byte r >> 3 says that row r is removed, ceil(rows / 8) bytes; null where
  /// none is
  /// @return index_full
  /// @throws std::bad_alloc
  Status adopt_files(const std::vector<std::shared_ptr<Segment>>& segments, const uint8_t* removed);

  std::shared_ptr<const Snapshot> snapshot() const;

  /// Bytes of reserved memory that no add has begun to fill.
  std::size_t reserved_bytes() const { return reserved_bytes_.load(std::memory_order_relaxed); }

  const StoreOptions& options() const { return options_; }
  uint32_t dimension() const { return options_.dimension; }
  Metric metric() const { return options_.metric; }
  Engine& engine() const { return *engine_; }
  const std::shared_ptr<Engine>& shared_engine() const { return engine_; }

 private:
  Status check_lengths(const NewRows& rows) const;
  /// Divides new rows among the room that is left and new segments.
  ///
  /// @param held vectors that the store holds already: segments grow with it
  /// @param last where the first piece begins, if it has room; its segment may be null
  /// @param reserved segments to use before new ones are made; those that are used leave it
  std::vector<SegmentPiece> place(const SegmentPiece& last, uint64_t held, const uint32_t* lengths,
                                  uint64_t row_count, uint64_t vector_count, bool biased,
                                  ReservedSegments* reserved) const;
  /// Whole blocks that fill the memory of a segment, but no more than that: pages come in powers of two.
  std::size_t largest_segment() const;
  /// As many vectors, or, for codes, as fill whole blocks: so every row of a full segment has its codes.
  std::size_t whole_segment(std::size_t vectors) const;
  void append(Snapshot* next, const std::vector<SegmentPiece>& pieces) const;
  void publish(std::shared_ptr<const Snapshot> next);
  void keep_reserved(ReservedSegments reserved);

  const std::shared_ptr<Engine> engine_;
  const StoreOptions options_;

  /// Held by the one call that adds, removes or compacts.
  std::mutex writer_;
  /// The end of the segment that still has room: where the next rows go. Belongs to the writer.
  SegmentPiece last_{};
  ReservedSegments reserved_;
  std::atomic<std::size_t> reserved_bytes_{0};

  mutable std::mutex state_;
  std::shared_ptr<const Snapshot> snapshot_;
};

}  // namespace granule
