#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/cancel_flag.h"
#include "core/ranked_list.h"
#include "core/status.h"
#include "core/thread_pool.h"
#include "index/sparse/sparse_rows.h"
#include "index/sparse/sparse_segment.h"

namespace granule {

/// Builds a segment of the rows from `first_row` up to `end_row`. Values are read once, and checked as they
/// are kept.
///
/// @param offsets from row_offsets()
/// @param lengths one per row of `rows`, as the saturation sees them; null where rows have none
/// @return invalid_argument, not_finite, with the row and the term
/// @throws std::bad_alloc
Status build_segment(const SparseRows& rows, const std::vector<uint64_t>& offsets, const float* lengths,
                     uint64_t first_row, uint64_t end_row, std::shared_ptr<const SparseSegment>* segment);

/// A segment that goes into a merged one.
struct MergeInput {
  std::shared_ptr<const SparseSegment> segment;
  /// The number of each of its rows in the merged segment, ascending; kNoRow leaves a row out.
  std::vector<uint32_t> new_rows;
};

/// One segment of the rows of several, whose new rows ascend from one input to the next.
///
/// @param row_count new rows
/// @return aborted
/// @throws std::bad_alloc
Status merge_segments(ThreadPool& pool, const std::vector<MergeInput>& inputs, uint64_t row_count,
                      unsigned threads, const CancelFlag& cancel,
                      std::shared_ptr<const SparseSegment>* merged);

}  // namespace granule
