#include "index/segment_store.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/code_layout.h"
#include "index/live_rows.h"

namespace granule {
namespace {

/// Segments grow with the store up to this size, so that small indexes stay small and large ones have few
/// segments.
constexpr std::size_t kMinSegmentBytes = 1 << 16;
constexpr std::size_t kMaxSegmentBytes = 1 << 25;

}  // namespace

SegmentStore::SegmentStore(std::shared_ptr<Engine> engine, const StoreOptions& options)
    : engine_(std::move(engine)), options_(options), snapshot_(std::make_shared<Snapshot>()) {}

std::shared_ptr<const Snapshot> SegmentStore::snapshot() const {
  std::lock_guard<std::mutex> lock(state_);
  return snapshot_;
}

Status SegmentStore::check_lengths(const NewRows& rows) const {
  if (rows.lengths == nullptr) return Status::success();
  uint64_t sum = 0;
  for (uint64_t row = 0; row < rows.row_count; ++row) {
    if (rows.lengths[row] == 0) {
      return Status::failure(StatusCode::empty_document,
                             "document " + std::to_string(row) + " has no vectors",
                             static_cast<int64_t>(row));
    }
    sum += rows.lengths[row];
  }
  if (sum != rows.vector_count) {
    return Status::failure(StatusCode::length_mismatch, "the lengths add up to " + std::to_string(sum) +
                                                            " vectors, but there are " +
                                                            std::to_string(rows.vector_count));
  }
  return Status::success();
}

std::size_t SegmentStore::whole_segment(std::size_t vectors) const {
  constexpr std::size_t kRows = CodeLayout::kBlockRows;
  return options_.coded ? (vectors + kRows - 1) / kRows * kRows : vectors;
}

std::size_t SegmentStore::largest_segment() const {
  constexpr std::size_t kRows = CodeLayout::kBlockRows;
  return std::max<std::size_t>(kRows, kMaxSegmentBytes / options_.vector_bytes() / kRows * kRows);
}

std::vector<SegmentPiece> SegmentStore::place(const SegmentPiece& last, uint64_t held,
                                              const uint32_t* lengths, uint64_t row_count,
                                              uint64_t vector_count, bool biased,
                                              ReservedSegments* reserved) const {
  const std::size_t least = std::max<std::size_t>(1, kMinSegmentBytes / options_.vector_bytes());
  const std::size_t most = largest_segment();
  std::vector<SegmentPiece> pieces;
  SegmentPiece piece = last;
  // A segment without room for biases takes no rows that have some.
  if (piece.segment != nullptr && biased && piece.segment->row_biases.size() == 0) piece.segment = nullptr;
  while (piece.first_row < row_count) {
    const std::size_t room = piece.segment != nullptr ? piece.segment->vector_capacity - piece.vector_at : 0;
    if (lengths == nullptr) {
      piece.vector_count = std::min<uint64_t>(room, row_count - piece.first_row);
      piece.row_count = piece.vector_count;
    } else {
      // A document never crosses the border of a segment.
      while (piece.first_row + piece.row_count < row_count &&
             piece.vector_count + lengths[piece.first_row + piece.row_count] <= room) {
        piece.vector_count += lengths[piece.first_row + piece.row_count];
        ++piece.row_count;
      }
    }
    if (piece.row_count != 0) pieces.push_back(piece);
    const uint64_t row = piece.first_row + piece.row_count;
    const uint64_t vector = piece.first_vector + piece.vector_count;
    if (row < row_count) {
      const std::size_t first_length = lengths != nullptr ? lengths[row] : 1;
      piece.segment = reserved->take(first_length);
      if (piece.segment == nullptr) {
        const std::size_t capacity =
            std::clamp<std::size_t>(std::max<uint64_t>(vector_count - vector, held + vector), least, most);
        piece.segment = std::make_shared<Segment>(engine_, whole_segment(std::max(capacity, first_length)),
                                                  options_, biased);
      } else if (biased) {
        piece.segment->make_biased(options_);
      }
      piece.row_at = 0;
      piece.vector_at = 0;
    }
    piece.first_row = row;
    piece.first_vector = vector;
    piece.row_count = 0;
    piece.vector_count = 0;
  }
  return pieces;
}

void SegmentStore::append(Snapshot* next, const std::vector<SegmentPiece>& pieces) const {
  const uint64_t old_rows = next->row_count;
  for (const SegmentPiece& piece : pieces) {
    const Segment& segment = *piece.segment;
    if (next->owners.empty() || next->owners.back() != piece.segment) {
      next->owners.push_back(piece.segment);
      next->segments.push_back(segment.view(next->row_count));
    }
    const std::size_t vectors = piece.vector_at + piece.vector_count;
    granule_segment& view = next->segments.back();
    next->bytes -= segment.bytes_of(view.row_count, piece.vector_at);
    view.row_count += piece.row_count;
    next->bytes += segment.bytes_of(view.row_count, vectors);
    view.coded_vector_count =
        options_.coded && segment.in_range ? vectors / CodeLayout::kBlockRows * CodeLayout::kBlockRows : 0;
    next->row_count += piece.row_count;
    next->vector_count += piece.vector_count;
  }
  if (next->live != nullptr)
    next->live =
        std::make_shared<const std::vector<uint8_t>>(grown_live_rows(*next->live, old_rows, next->row_count));
}

void SegmentStore::publish(std::shared_ptr<const Snapshot> next) {
  std::lock_guard<std::mutex> lock(state_);
  snapshot_.swap(next);
}

Status SegmentStore::add(const NewRows& rows, unsigned threads, const CancelFlag& cancel,
                         uint64_t* first_row) {
  if (Status status = check_lengths(rows); !status.ok()) return status;
  std::lock_guard<std::mutex> writer(writer_);
  const std::shared_ptr<const Snapshot> base = snapshot();
  *first_row = base->row_count;
  if (rows.row_count == 0) return Status::success();
  if (base->row_count + rows.row_count > kMaxRows) {
    return Status::failure(StatusCode::index_full, "an index holds at most " + std::to_string(kMaxRows) +
                                                       " rows; it has " + std::to_string(base->row_count) +
                                                       " and was given " + std::to_string(rows.row_count));
  }
  ReservedSegments reserved = reserved_;
  std::vector<SegmentPiece> pieces = place(last_, base->vector_count, rows.lengths, rows.row_count,
                                           rows.vector_count, rows.biases != nullptr, &reserved);
  Status status = fill_vectors(*engine_, options_, rows.vectors, threads, cancel, &pieces);
  if (status.ok()) status = fill_rows(pieces, rows.lengths, rows.biases);
  if (!status.ok()) return status;
  if (options_.coded) complete_codes(options_, pieces);
  auto next = std::make_shared<Snapshot>(*base);
  append(next.get(), pieces);
  keep_reserved(std::move(reserved));
  publish(std::move(next));
  last_ = pieces.back().end();
  return Status::success();
}

Status SegmentStore::reserve(uint64_t vectors, unsigned threads, const CancelFlag& cancel) {
  std::lock_guard<std::mutex> writer(writer_);
  const std::size_t most = largest_segment();
  ReservedSegments reserved = reserved_;
  std::vector<std::shared_ptr<Segment>> added;
  for (uint64_t room = reserved.vector_capacity(); room < vectors; room += added.back()->vector_capacity) {
    added.push_back(std::make_shared<Segment>(
        engine_, whole_segment(std::min<uint64_t>(most, vectors - room)), options_, false));
    if (cancel.cancelled()) break;
  }
  touch_segments(*engine_, added, threads, cancel);
  if (cancel.cancelled()) return Status::failure(StatusCode::aborted, "the reservation was aborted");
  reserved.put(std::move(added));
  keep_reserved(std::move(reserved));
  return Status::success();
}

void SegmentStore::keep_reserved(ReservedSegments reserved) {
  reserved_bytes_.store(reserved.bytes(), std::memory_order_relaxed);
  reserved_ = std::move(reserved);
}

Status SegmentStore::remove(const uint32_t* rows, std::size_t count, uint64_t* removed) {
  std::lock_guard<std::mutex> writer(writer_);
  auto next = std::make_shared<Snapshot>(*snapshot());
  std::vector<uint8_t> live = next->live != nullptr ? *next->live : grown_live_rows({}, 0, next->row_count);
  if (Status status = remove_live_rows(rows, count, next->row_count, &live, removed); !status.ok())
    return status;
  if (*removed == 0) return Status::success();
  next->removed_count += *removed;
  next->live = std::make_shared<const std::vector<uint8_t>>(std::move(live));
  publish(std::move(next));
  return Status::success();
}

Status SegmentStore::compact(unsigned threads, const CancelFlag& cancel, Compaction* result) {
  std::lock_guard<std::mutex> writer(writer_);
  result->base = snapshot();
  const Snapshot& base = *result->base;
  std::vector<uint32_t>& former = result->former_rows;
  former.clear();
  former.reserve(base.row_count - base.removed_count);
  std::vector<uint32_t> lengths;
  uint64_t vector_count = 0;
  bool biased = false;
  for (const granule_segment& segment : base.segments) {
    biased = biased || segment.row_biases != nullptr;
    for (uint64_t i = 0; i < segment.row_count; ++i) {
      const uint64_t row = segment.first_row + i;
      if (base.live != nullptr && (((*base.live)[row >> 3] >> (row & 7)) & 1) == 0) continue;
      former.push_back(static_cast<uint32_t>(row));
      const uint64_t length = options_.documents ? segment.row_offsets[i + 1] - segment.row_offsets[i] : 1;
      if (options_.documents) lengths.push_back(static_cast<uint32_t>(length));
      vector_count += length;
    }
  }
  // New segments only: those that are there belong to searches under way.
  ReservedSegments none;
  result->pieces =
      place({}, 0, options_.documents ? lengths.data() : nullptr, former.size(), vector_count, biased, &none);
  if (Status status = copy_rows(*engine_, options_, result->pieces, base, former, threads, cancel);
      !status.ok())
    return status;
  if (options_.coded) {
    encode_vectors(*engine_, options_, threads, &result->pieces);
    complete_codes(options_, result->pieces);
  }
  auto next = std::make_shared<Snapshot>();
  append(next.get(), result->pieces);
  result->next = std::move(next);
  return Status::success();
}

Status SegmentStore::adopt_files(const std::vector<std::shared_ptr<Segment>>& segments,
                                 const uint8_t* removed) {
  std::lock_guard<std::mutex> writer(writer_);
  auto next = std::make_shared<Snapshot>();
  for (const std::shared_ptr<Segment>& segment : segments) {
    const std::size_t rows = options_.documents ? segment->row_offsets.size() - 1 : segment->vector_capacity;
    append(next.get(), {{segment, 0, 0, 0, 0, rows, segment->vector_capacity}});
  }
  if (next->row_count > kMaxRows) return Status::failure(StatusCode::index_full, "too many rows");
  if (removed != nullptr) {
    std::vector<uint8_t> live = grown_live_rows({}, 0, next->row_count);
    next->removed_count = remove_named_rows(removed, &live);
    next->live = std::make_shared<const std::vector<uint8_t>>(std::move(live));
  }
  publish(std::move(next));
  return Status::success();
}

bool SegmentStore::adopt(Compaction compaction) {
  std::lock_guard<std::mutex> writer(writer_);
  if (snapshot() != compaction.base) return false;
  keep_reserved({});
  last_ = compaction.pieces.empty() ? SegmentPiece{} : compaction.pieces.back().end();
  publish(std::move(compaction.next));
  return true;
}

}  // namespace granule
