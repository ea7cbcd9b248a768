#include "index/segment_store.h"

#include <algorithm>
#include <atomic>
#include <string>
#include <utility>

#include "core/code_layout.h"
#include "index/prepared_vectors.h"

namespace granule {
namespace {

/// Segments grow with the store up to this size, so that small indexes stay small and large ones have few
/// segments.
constexpr std::size_t kMinSegmentBytes = 1 << 16;
constexpr std::size_t kMaxSegmentBytes = 1 << 25;
/// Bytes that one task copies between two looks at the cancel flag.
constexpr std::size_t kCopyBytes = 1 << 18;

std::atomic<uint64_t> next_segment_id{1};

}  // namespace

Segment::Segment(std::shared_ptr<Engine> owner, std::size_t capacity, uint32_t dimension, Metric metric,
                 bool documents, bool coded)
    : engine(std::move(owner)),
      id(next_segment_id.fetch_add(1, std::memory_order_relaxed)),
      vector_capacity(capacity),
      vectors(capacity * dimension),
      squared_norms(metric == Metric::squared_l2 ? capacity : 0),
      // A document has at least one vector, so there are never more documents than vectors.
      row_offsets(documents ? capacity + 1 : 0),
      codes(coded ? capacity / CodeLayout::kBlockRows * CodeLayout::block_bytes(dimension) : 0),
      scales(coded ? capacity : 0),
      residual_norms(coded ? capacity : 0),
      code_norms(coded ? capacity : 0),
      biases(coded && metric == Metric::squared_l2 ? capacity : 0) {
  if (documents) row_offsets[0] = 0;
}

std::size_t Segment::bytes() const {
  return vectors.bytes() + squared_norms.bytes() + row_offsets.bytes() + codes.bytes() + scales.bytes() +
         residual_norms.bytes() + code_norms.bytes() + biases.bytes();
}

Segment::~Segment() {
  for (const BackendEntry& entry : engine->backends.entries()) {
    if (entry.available) entry.backend.release_segment(entry.backend.self, id);
  }
}

/// Consecutive input rows that go into one segment.
struct SegmentStore::Piece {
  std::shared_ptr<Segment> segment;
  uint64_t first_input_vector;
  std::size_t at;
  std::size_t vector_count;
  uint64_t row_count;
};

SegmentStore::SegmentStore(std::shared_ptr<Engine> engine, uint32_t dimension, Metric metric, bool documents,
                           bool coded)
    : engine_(std::move(engine)),
      dimension_(dimension),
      metric_(metric),
      documents_(documents),
      coded_(coded),
      snapshot_(std::make_shared<Snapshot>()) {}

std::shared_ptr<const Snapshot> SegmentStore::snapshot() const {
  std::lock_guard<std::mutex> lock(state_);
  return snapshot_;
}

Status SegmentStore::check_lengths(const uint32_t* lengths, uint64_t row_count, uint64_t vector_count) const {
  if (lengths == nullptr) return Status::success();
  uint64_t sum = 0;
  for (uint64_t row = 0; row < row_count; ++row) {
    if (lengths[row] == 0) {
      return Status::failure(StatusCode::empty_document,
                             "document " + std::to_string(row) + " has no vectors",
                             static_cast<int64_t>(row));
    }
    sum += lengths[row];
  }
  if (sum != vector_count) {
    return Status::failure(StatusCode::length_mismatch, "the lengths add up to " + std::to_string(sum) +
                                                            " vectors, but there are " +
                                                            std::to_string(vector_count));
  }
  return Status::success();
}

std::vector<SegmentStore::Piece> SegmentStore::place(const Snapshot& base, const uint32_t* lengths,
                                                     uint64_t row_count, uint64_t vector_count) {
  const std::size_t vector_bytes = sizeof(float) * dimension_;
  const std::size_t least = std::max<std::size_t>(1, kMinSegmentBytes / vector_bytes);
  const std::size_t most = std::max<std::size_t>(1, kMaxSegmentBytes / vector_bytes);
  std::vector<Piece> pieces;
  std::shared_ptr<Segment> segment = last_;
  std::size_t used = last_used_;
  uint64_t row = 0;
  uint64_t vector = 0;
  while (row < row_count) {
    Piece piece{segment, vector, used, 0, 0};
    const std::size_t room = segment != nullptr ? segment->vector_capacity - used : 0;
    if (lengths == nullptr) {
      piece.vector_count = std::min<uint64_t>(room, row_count - row);
      piece.row_count = piece.vector_count;
    } else {
      // A document never crosses the border of a segment.
      while (row + piece.row_count < row_count &&
             piece.vector_count + lengths[row + piece.row_count] <= room) {
        piece.vector_count += lengths[row + piece.row_count];
        ++piece.row_count;
      }
    }
    if (piece.row_count != 0) {
      row += piece.row_count;
      vector += piece.vector_count;
      used += piece.vector_count;
      pieces.push_back(std::move(piece));
    }
    if (row < row_count) {
      const std::size_t wanted = std::max<uint64_t>(vector_count - vector, base.vector_count + vector);
      std::size_t capacity = std::clamp<std::size_t>(wanted, least, most);
      if (lengths != nullptr) capacity = std::max<std::size_t>(capacity, lengths[row]);
      // Whole blocks, so that every row of a full segment has its codes.
      if (coded_)
        capacity = (capacity + CodeLayout::kBlockRows - 1) / CodeLayout::kBlockRows * CodeLayout::kBlockRows;
      segment = std::make_shared<Segment>(engine_, capacity, dimension_, metric_, documents_, coded_);
      used = 0;
    }
  }
  return pieces;
}

Status SegmentStore::copy(const std::vector<Piece>& pieces, const float* vectors, unsigned threads,
                          const CancelFlag& cancel) {
  struct Task {
    const Piece* piece;
    std::size_t begin;
    std::size_t end;
  };
  const std::size_t step = std::max<std::size_t>(1, kCopyBytes / (sizeof(float) * dimension_));
  std::vector<Task> tasks;
  for (const Piece& piece : pieces) {
    for (std::size_t begin = 0; begin < piece.vector_count; begin += step) {
      tasks.push_back({&piece, begin, std::min(piece.vector_count, begin + step)});
    }
  }
  FirstNotFinite first_bad;
  engine_->pool.parallel_for(tasks.size(), threads, [&](std::size_t t) {
    if (cancel.cancelled()) return;
    const Task& task = tasks[t];
    Segment& segment = *task.piece->segment;
    const std::size_t at = task.piece->at + task.begin;
    const uint64_t input = task.piece->first_input_vector + task.begin;
    prepare_vectors(vectors + input * dimension_, task.end - task.begin, dimension_, metric_, input,
                    segment.vectors.data() + at * dimension_,
                    metric_ == Metric::squared_l2 ? segment.squared_norms.data() + at : nullptr, &first_bad);
  });
  if (cancel.cancelled()) return Status::failure(StatusCode::aborted, "the add was aborted");
  return first_bad.status("row");
}

void SegmentStore::encode(const std::vector<Piece>& pieces, unsigned threads) {
  struct Task {
    Segment* segment;
    std::size_t begin;
    std::size_t end;
  };
  constexpr std::size_t kRows = CodeLayout::kBlockRows;
  const std::size_t step = std::max<std::size_t>(1, kCopyBytes / (sizeof(float) * dimension_ * kRows));
  std::vector<Task> tasks;
  for (const Piece& piece : pieces) {
    const std::size_t last = (piece.at + piece.vector_count) / kRows;
    for (std::size_t begin = piece.at / kRows; begin < last; begin += step) {
      tasks.push_back({piece.segment.get(), begin, std::min(last, begin + step)});
    }
  }
  std::vector<char> in_range(tasks.size(), 1);
  engine_->pool.parallel_for(tasks.size(), threads, [&](std::size_t t) {
    const Task& task = tasks[t];
    Segment& segment = *task.segment;
    for (std::size_t block = task.begin; block < task.end; ++block) {
      const std::size_t row = block * kRows;
      const bool fits = engine_->kernels.table->quantize_block(
          segment.vectors.data() + row * dimension_, static_cast<std::size_t>(dimension_),
          segment.codes.data() + block * CodeLayout::block_bytes(dimension_), segment.scales.data() + row,
          segment.residual_norms.data() + row, segment.code_norms.data() + row);
      if (!fits) in_range[t] = 0;
      for (std::size_t r = row; segment.biases.size() != 0 && r < row + kRows; ++r) {
        segment.biases[r] = static_cast<float>(-segment.squared_norms[r]);
      }
    }
  });
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    if (in_range[t] == 0) tasks[t].segment->in_range = false;
  }
}

void SegmentStore::publish(const Snapshot& base, const std::vector<Piece>& pieces) {
  auto next = std::make_shared<Snapshot>(base);
  for (const Piece& piece : pieces) {
    if (next->owners.empty() || next->owners.back() != piece.segment) {
      granule_segment view{};
      view.id = piece.segment->id;
      view.first_row = next->row_count;
      view.vectors = piece.segment->vectors.data();
      view.squared_norms = piece.segment->squared_norms.data();
      view.row_offsets = piece.segment->row_offsets.data();
      view.codes = piece.segment->codes.data();
      view.scales = piece.segment->scales.data();
      view.residual_norms = piece.segment->residual_norms.data();
      view.code_norms = piece.segment->code_norms.data();
      view.biases = piece.segment->biases.data();
      next->owners.push_back(piece.segment);
      next->segments.push_back(view);
      next->bytes += piece.segment->bytes();
    }
    granule_segment& view = next->segments.back();
    view.row_count += piece.row_count;
    const std::size_t vectors = piece.at + piece.vector_count;
    view.coded_vector_count =
        coded_ && piece.segment->in_range ? vectors / CodeLayout::kBlockRows * CodeLayout::kBlockRows : 0;
    next->row_count += piece.row_count;
    next->vector_count += piece.vector_count;
  }
  std::shared_ptr<const Snapshot> published = std::move(next);
  {
    std::lock_guard<std::mutex> lock(state_);
    snapshot_.swap(published);
  }
  last_ = pieces.back().segment;
  last_used_ = pieces.back().at + pieces.back().vector_count;
}

Status SegmentStore::add(const float* vectors, uint64_t vector_count, const uint32_t* lengths,
                         uint64_t row_count, unsigned threads, const CancelFlag& cancel,
                         uint64_t* first_row) {
  if (Status status = check_lengths(lengths, row_count, vector_count); !status.ok()) return status;
  std::lock_guard<std::mutex> writer(writer_);
  const std::shared_ptr<const Snapshot> base = snapshot();
  *first_row = base->row_count;
  if (row_count == 0) return Status::success();
  if (base->row_count + row_count > kMaxRows) {
    return Status::failure(StatusCode::index_full, "an index holds at most " + std::to_string(kMaxRows) +
                                                       " rows; it has " + std::to_string(base->row_count) +
                                                       " and was given " + std::to_string(row_count));
  }
  const std::vector<Piece> pieces = place(*base, lengths, row_count, vector_count);
  if (Status status = copy(pieces, vectors, threads, cancel); !status.ok()) return status;
  if (lengths != nullptr) {
    for (const Piece& piece : pieces) {
      const bool appends = !base->owners.empty() && base->owners.back() == piece.segment;
      uint64_t* offsets = piece.segment->row_offsets.data() + (appends ? base->segments.back().row_count : 0);
      for (uint64_t i = 0; i < piece.row_count; ++i) offsets[i + 1] = offsets[i] + *lengths++;
    }
  }
  if (coded_) encode(pieces, threads);
  publish(*base, pieces);
  return Status::success();
}

}  // namespace granule
