#include "index/segment_fill.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <string>

#include "core/code_layout.h"
#include "core/scan_bias.h"
#include "index/staged_block.h"

namespace granule {
namespace {

/// Bytes that one task writes between two looks at the cancel flag.
constexpr std::size_t kTaskBytes = 1 << 18;

/// An add of at least this many bytes leaves too much behind for the caches.
constexpr std::size_t kStreamedBytes = std::size_t{1} << 24;

/// A part of a piece, in vectors or blocks of 16 of its segment.
struct Task {
  std::size_t piece;
  std::size_t begin;
  std::size_t end;
};

/// Where the bounds did not hold for a task's vectors, its piece knows.
void gather_ranges(const std::vector<Task>& tasks, const std::vector<char>& in_range,
                   std::vector<SegmentPiece>* pieces) {
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    if (in_range[t] == 0) (*pieces)[tasks[t].piece].in_range = false;
  }
}

}  // namespace

Status fill_vectors(Engine& engine, const StoreOptions& options, const float* vectors, unsigned threads,
                    const CancelFlag& cancel, std::vector<SegmentPiece>* pieces) {
  constexpr std::size_t kRows = CodeLayout::kBlockRows;
  const KernelTable& kernels = *engine.kernels.table;
  const std::size_t d = options.dimension;
  const std::size_t step = std::max<std::size_t>(1, kTaskBytes / (sizeof(float) * d * kRows)) * kRows;
  std::vector<Task> tasks;
  std::size_t bytes = 0;
  for (std::size_t p = 0; p < pieces->size(); ++p) {
    const SegmentPiece& piece = (*pieces)[p];
    const std::size_t end = piece.vector_at + piece.vector_count;
    bytes += piece.vector_count * options.vector_bytes();
    // Every block of 16 belongs to one task.
    for (std::size_t begin = piece.vector_at; begin < end;) {
      const std::size_t next = std::min(end, begin / kRows * kRows + step);
      tasks.push_back({p, begin, next});
      begin = next;
    }
  }
  FirstNotFinite first_bad;
  std::vector<char> in_range(tasks.size(), 1);
  std::vector<std::unique_ptr<StagedBlock>> staged(std::max(1u, threads));
  engine.pool.parallel_for_slots(tasks.size(), threads, [&](std::size_t t, std::size_t slot) {
    if (cancel.cancelled()) return;
    const Task& task = tasks[t];
    const SegmentPiece& piece = (*pieces)[task.piece];
    Segment& segment = *piece.segment;
    if (staged[slot] == nullptr)
      staged[slot] = std::make_unique<StagedBlock>(kernels, options, bytes >= kStreamedBytes);
    StagedBlock& block = *staged[slot];
    // A block at a time: it is coded while it is in the cache.
    for (std::size_t at = task.begin; at < task.end;) {
      const std::size_t end = std::min(task.end, (at / kRows + 1) * kRows);
      const uint64_t input = piece.first_vector + (at - piece.vector_at);
      double* const norms =
          options.metric == Metric::squared_l2 ? segment.squared_norms.data() + at : nullptr;
      if (!block.prepare(vectors + input * d, end - at, input, norms, &first_bad)) return;
      if (end - at == kRows) {
        const float* next = end + kRows <= task.end ? vectors + (input + kRows) * d : nullptr;
        if (!block.store_whole(segment, at, next)) in_range[t] = 0;
      } else {
        block.store_part(segment, at, end - at);
        if (options.coded && end % kRows == 0 && !block.encode_stored(segment, end - kRows)) in_range[t] = 0;
      }
      at = end;
    }
  });
  if (cancel.cancelled()) return Status::failure(StatusCode::aborted, "the add was aborted");
  gather_ranges(tasks, in_range, pieces);
  return first_bad.status("row");
}

Status fill_rows(const std::vector<SegmentPiece>& pieces, const uint32_t* lengths, const float* biases) {
  for (const SegmentPiece& piece : pieces) {
    Segment& segment = *piece.segment;
    if (lengths != nullptr) {
      uint64_t* offsets = segment.row_offsets.data() + piece.row_at;
      for (uint64_t i = 0; i < piece.row_count; ++i)
        offsets[i + 1] = offsets[i] + lengths[piece.first_row + i];
    }
    if (segment.row_biases.size() == 0) continue;
    float* out = segment.row_biases.data() + piece.row_at;
    for (uint64_t i = 0; i < piece.row_count; ++i) {
      out[i] = biases != nullptr ? biases[piece.first_row + i] : 0.0f;
      if (!std::isfinite(out[i])) {
        const uint64_t row = piece.first_row + i;
        return Status::failure(StatusCode::not_finite,
                               "the bias of row " + std::to_string(row) + " is " + show_not_finite(out[i]),
                               static_cast<int64_t>(row));
      }
    }
  }
  return Status::success();
}

std::size_t segment_index_of(const Snapshot& snapshot, uint64_t row) {
  const auto after =
      std::upper_bound(snapshot.segments.begin(), snapshot.segments.end(), row,
                       [](uint64_t r, const granule_segment& segment) { return r < segment.first_row; });
  return static_cast<std::size_t>(after - snapshot.segments.begin()) - 1;
}

Status copy_rows(Engine& engine, const StoreOptions& options, const std::vector<SegmentPiece>& pieces,
                 const Snapshot& source, const std::vector<uint32_t>& source_rows, unsigned threads,
                 const CancelFlag& cancel) {
  std::atomic<bool> corrupt{false};
  engine.pool.parallel_for(pieces.size(), threads, [&](std::size_t p) {
    const SegmentPiece& piece = pieces[p];
    Segment& segment = *piece.segment;
    std::size_t to = piece.vector_at;
    for (uint64_t i = 0; i < piece.row_count; ++i) {
      if (cancel.cancelled() || corrupt.load(std::memory_order_relaxed)) return;
      const uint64_t row = source_rows[piece.first_row + i];
      const granule_segment& from = source.segments[segment_index_of(source, row)];
      const uint64_t index = row - from.first_row;
      const uint64_t begin = from.row_offsets != nullptr ? from.row_offsets[index] : index;
      const uint64_t count = from.row_offsets != nullptr ? from.row_offsets[index + 1] - begin : 1;
      if (from.verify != nullptr && from.verify(from.owner, begin, count) == 0) {
        corrupt.store(true, std::memory_order_relaxed);
        return;
      }
      std::memcpy(segment.vectors.data() + to * options.vector_bytes(),
                  static_cast<const uint8_t*>(from.vectors) + begin * options.vector_bytes(),
                  count * options.vector_bytes());
      if (from.squared_norms != nullptr)
        std::copy_n(from.squared_norms + begin, count, segment.squared_norms.data() + to);
      to += count;
      if (options.documents) segment.row_offsets[piece.row_at + i + 1] = to;
      if (segment.row_biases.size() != 0)
        segment.row_biases[piece.row_at + i] = from.row_biases != nullptr ? from.row_biases[index] : 0.0f;
    }
  });
  if (cancel.cancelled()) return Status::failure(StatusCode::aborted, "the compaction was aborted");
  if (corrupt.load()) return source.damage();
  return Status::success();
}

void encode_vectors(Engine& engine, const StoreOptions& options, unsigned threads,
                    std::vector<SegmentPiece>* pieces) {
  constexpr std::size_t kRows = CodeLayout::kBlockRows;
  const std::size_t step = std::max<std::size_t>(1, kTaskBytes / (sizeof(float) * options.dimension * kRows));
  std::vector<Task> tasks;
  for (std::size_t p = 0; p < pieces->size(); ++p) {
    const SegmentPiece& piece = (*pieces)[p];
    const std::size_t last = (piece.vector_at + piece.vector_count) / kRows;
    for (std::size_t begin = piece.vector_at / kRows; begin < last; begin += step)
      tasks.push_back({p, begin, std::min(last, begin + step)});
  }
  std::vector<char> in_range(tasks.size(), 1);
  engine.pool.parallel_for(tasks.size(), threads, [&](std::size_t t) {
    const Task& task = tasks[t];
    StagedBlock staged(*engine.kernels.table, options, false);
    for (std::size_t block = task.begin; block < task.end; ++block) {
      if (!staged.encode_stored(*(*pieces)[task.piece].segment, block * kRows)) in_range[t] = 0;
    }
  });
  gather_ranges(tasks, in_range, pieces);
}

void complete_codes(const StoreOptions& options, const std::vector<SegmentPiece>& pieces) {
  constexpr std::size_t kRows = CodeLayout::kBlockRows;
  for (const SegmentPiece& piece : pieces) {
    Segment& segment = *piece.segment;
    bool in_range = piece.in_range;
    const std::size_t end = (piece.vector_at + piece.vector_count) / kRows * kRows;
    for (std::size_t r = piece.vector_at / kRows * kRows; segment.biases.size() != 0 && r < end; ++r) {
      const double row_bias = !options.documents && segment.row_biases.size() != 0
                                  ? static_cast<double>(segment.row_biases[r])
                                  : 0.0;
      const double squared_norm = segment.squared_norms.size() != 0 ? segment.squared_norms[r] : 0.0;
      if (!scan_bias(row_bias, squared_norm, &segment.biases[r])) in_range = false;
    }
    if (!in_range) segment.in_range = false;
  }
}

}  // namespace granule
