#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/cancel_flag.h"
#include "core/status.h"
#include "index/engine.h"
#include "index/segment.h"

namespace granule {

/// Consecutive new rows that go into one segment.
struct SegmentPiece {
  std::shared_ptr<Segment> segment;
  /// Numbers of the first row and the first vector among all new ones.
  uint64_t first_row;
  uint64_t first_vector;
  /// Where its first row and its first vector lie in the segment.
  std::size_t row_at;
  std::size_t vector_at;
  uint64_t row_count;
  std::size_t vector_count;
  /// Whether the bounds of codes hold for its vectors.
  bool in_range = true;

  /// Where rows that follow go.
  SegmentPiece end() const { return {segment, 0, 0, row_at + row_count, vector_at + vector_count, 0, 0}; }
};

/// Writes new vectors into their segments: checked, normalised for cosine, narrowed to the dtype, with their
/// squared norms for squared L2. Blocks of 16 that are complete then get their codes; `complete_codes`
/// follows.
///
/// @return not_finite with the vector's and the column's number, aborted
/// @throws std::bad_alloc
Status fill_vectors(Engine& engine, const StoreOptions& options, const float* vectors, unsigned threads,
                    const CancelFlag& cancel, std::vector<SegmentPiece>* pieces);

/// Writes the lengths of new documents (null: rows are vectors) and the rows' biases (null: none).
///
/// @return not_finite with the row's number
Status fill_rows(const std::vector<SegmentPiece>& pieces, const uint32_t* lengths, const float* biases);

/// Copies rows that are stored already: new row i is row source_rows[i] of `source`.
///
/// @return index_corrupt, aborted
/// @throws std::bad_alloc
Status copy_rows(Engine& engine, const StoreOptions& options, const std::vector<SegmentPiece>& pieces,
                 const Snapshot& source, const std::vector<uint32_t>& source_rows, unsigned threads,
                 const CancelFlag& cancel);

/// Codes the blocks of 16 vectors that copied ones have completed; `complete_codes` follows.
///
/// @throws std::bad_alloc
void encode_vectors(Engine& engine, const StoreOptions& options, unsigned threads,
                    std::vector<SegmentPiece>* pieces);

/// Writes what a scan of codes adds to the scores of new vectors, once the rows' biases are there, and notes
/// in the segments whether the bounds hold.
void complete_codes(const StoreOptions& options, const std::vector<SegmentPiece>& pieces);

/// The segment of a snapshot that holds a row.
std::size_t segment_index_of(const Snapshot& snapshot, uint64_t row);

}  // namespace granule
