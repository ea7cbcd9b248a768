#include "index/sparse/sparse_store.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <string>
#include <utility>

#include "index/live_rows.h"
#include "index/sparse/sparse_build.h"

namespace granule {
namespace {

/// Postings and rows that one thread turns into a segment at a time.
constexpr uint64_t kPieceEntries = 1 << 21;
/// Postings after which a segment is merged no more.
constexpr uint64_t kMaxSegmentPostings = uint64_t{1} << 28;
/// Neighbours of like size that are merged: each row is copied once per this factor of growth, and there are
/// a few segments more than that per level.
constexpr std::size_t kMergedNeighbours = 4;

/// Consecutive segments that are, or become, one.
struct Group {
  std::size_t pieces = 0;
  uint64_t rows = 0;
  uint64_t postings = 0;

  bool takes(const Group& other) const {
    return rows + other.rows <= SparseSegment::kMaxRows && postings + other.postings <= kMaxSegmentPostings;
  }
  void add(const Group& other) {
    pieces += other.pieces;
    rows += other.rows;
    postings += other.postings;
  }
  /// Sizes of one level differ by less than a factor of four.
  int level() const { return std::bit_width(rows + postings) / 2; }
};

Group group_of(const SparseSegment& segment) { return {1, segment.row_count, segment.posting_count()}; }

/// Appends a group, and joins it with those before it, as many as are no larger, where they are many.
void append(const Group& group, std::vector<Group>* groups) {
  groups->push_back(group);
  for (;;) {
    const int level = groups->back().level();
    Group joined;
    std::size_t first = groups->size();
    while (first > 0 && (*groups)[first - 1].level() <= level && joined.takes((*groups)[first - 1]))
      joined.add((*groups)[--first]);
    if (groups->size() - first < kMergedNeighbours) return;
    groups->resize(first);
    groups->push_back(joined);
  }
}

/// Makes one segment of each group of pieces.
Status merge_groups(ThreadPool& pool, const std::vector<Group>& groups,
                    std::vector<std::shared_ptr<const SparseSegment>> pieces, unsigned threads,
                    const CancelFlag& cancel, std::vector<std::shared_ptr<const SparseSegment>>* segments) {
  auto piece = pieces.begin();
  for (const Group& group : groups) {
    if (group.pieces == 1) {
      segments->push_back(std::move(*piece++));
      continue;
    }
    std::vector<MergeInput> inputs(group.pieces);
    uint32_t next_row = 0;
    for (MergeInput& input : inputs) {
      input.segment = std::move(*piece++);
      input.new_rows.resize(input.segment->row_count);
      for (uint32_t& row : input.new_rows) row = next_row++;
    }
    std::shared_ptr<const SparseSegment> merged;
    if (Status status = merge_segments(pool, inputs, group.rows, threads, cancel, &merged); !status.ok())
      return status;
    segments->push_back(std::move(merged));
  }
  return Status::success();
}

/// Counts and places segments, which are a snapshot's first and only ones.
void place(const std::vector<std::shared_ptr<const SparseSegment>>& segments, SparseSnapshot* snapshot) {
  for (const std::shared_ptr<const SparseSegment>& segment : segments) {
    snapshot->segments.push_back({segment, snapshot->row_count});
    snapshot->row_count += segment->row_count;
    snapshot->posting_count += segment->posting_count();
    snapshot->bytes += segment->bytes();
  }
}

/// Adds the rows' lengths to a sum, in row order: so it does not depend on how the rows were added.
double add_lengths(double sum, const std::vector<std::shared_ptr<const SparseSegment>>& segments) {
  for (const std::shared_ptr<const SparseSegment>& segment : segments) {
    for (std::size_t row = 0; row < segment->lengths.size(); ++row)
      sum += static_cast<double>(segment->lengths[row]);
  }
  return sum;
}

}  // namespace

uint64_t SparseSnapshot::document_frequency(uint32_t term) const {
  uint64_t frequency = 0;
  for (const PlacedSegment& placed : segments) {
    const std::size_t at = placed.segment->find(term, 0);
    if (at < placed.segment->terms.size()) frequency += placed.segment->document_frequency(at);
  }
  return frequency;
}

SparseStore::SparseStore(std::shared_ptr<Engine> engine, bool saturating)
    : engine_(std::move(engine)),
      saturating_(saturating),
      snapshot_(std::make_shared<const SparseSnapshot>()) {}

std::shared_ptr<const SparseSnapshot> SparseStore::snapshot() const {
  std::lock_guard<std::mutex> lock(state_);
  return snapshot_;
}

void SparseStore::publish(std::shared_ptr<const SparseSnapshot> next) {
  std::lock_guard<std::mutex> lock(state_);
  snapshot_.swap(next);
}

Status SparseStore::add(const SparseRows& rows, const float* lengths, unsigned threads,
                        const CancelFlag& cancel, uint64_t* first_row) {
  std::lock_guard<std::mutex> writer(writer_);
  const std::shared_ptr<const SparseSnapshot> base = snapshot();
  *first_row = base->row_count;
  if (base->row_count + rows.row_count > kMaxRows) {
    return Status::failure(StatusCode::index_full, "an index holds at most " + std::to_string(kMaxRows) +
                                                       " rows; it has " + std::to_string(base->row_count) +
                                                       " and was given " + std::to_string(rows.row_count));
  }
  std::vector<uint64_t> offsets;
  if (Status status = row_offsets(rows, &offsets); !status.ok()) return status;
  if (rows.row_count == 0) return Status::success();

  std::vector<uint64_t> borders{0};
  while (borders.back() < rows.row_count) {
    const uint64_t begin = borders.back();
    uint64_t end = begin + 1;
    while (end < rows.row_count && end + 1 - begin + offsets[end + 1] - offsets[begin] <= kPieceEntries)
      ++end;
    borders.push_back(end);
  }
  std::vector<std::shared_ptr<const SparseSegment>> added(borders.size() - 1);
  std::vector<Status> statuses(added.size());
  engine_->pool.parallel_for(added.size(), threads, [&](std::size_t i) {
    statuses[i] = cancel.cancelled()
                      ? Status::failure(StatusCode::aborted, "the add was aborted")
                      : build_segment(rows, offsets, lengths, borders[i], borders[i + 1], &added[i]);
  });
  for (Status& status : statuses) {
    if (!status.ok()) return std::move(status);
  }

  std::vector<std::shared_ptr<const SparseSegment>> pieces;
  std::vector<Group> groups;
  for (const PlacedSegment& placed : base->segments) {
    pieces.push_back(placed.segment);
    groups.push_back(group_of(*placed.segment));
  }
  Group whole;
  for (const std::shared_ptr<const SparseSegment>& segment : added) {
    pieces.push_back(segment);
    if (whole.pieces != 0 && !whole.takes(group_of(*segment))) append(std::exchange(whole, {}), &groups);
    whole.add(group_of(*segment));
  }
  append(whole, &groups);
  const double total_length = add_lengths(base->total_length, added);
  added.clear();
  std::vector<std::shared_ptr<const SparseSegment>> segments;
  if (Status status = merge_groups(engine_->pool, groups, std::move(pieces), threads, cancel, &segments);
      !status.ok())
    return status;
  auto next = std::make_shared<SparseSnapshot>();
  place(segments, next.get());
  next->total_length = total_length;
  next->removed_count = base->removed_count;
  if (base->live != nullptr) {
    next->live = std::make_shared<const std::vector<uint8_t>>(
        grown_live_rows(*base->live, base->row_count, next->row_count));
  }
  publish(std::move(next));
  return Status::success();
}

Status SparseStore::remove(const uint32_t* rows, std::size_t count, uint64_t* removed) {
  std::lock_guard<std::mutex> writer(writer_);
  auto next = std::make_shared<SparseSnapshot>(*snapshot());
  std::vector<uint8_t> live = next->live != nullptr ? *next->live : grown_live_rows({}, 0, next->row_count);
  if (Status status = remove_live_rows(rows, count, next->row_count, &live, removed); !status.ok())
    return status;
  if (*removed == 0) return Status::success();
  next->removed_count += *removed;
  next->live = std::make_shared<const std::vector<uint8_t>>(std::move(live));
  publish(std::move(next));
  return Status::success();
}

Status SparseStore::compact(unsigned threads, const CancelFlag& cancel, SparseCompaction* result) {
  std::lock_guard<std::mutex> writer(writer_);
  result->base = snapshot();
  const SparseSnapshot& base = *result->base;
  std::vector<uint32_t>& former = result->former_rows;
  former.clear();
  former.reserve(base.row_count - base.removed_count);
  // The rows that are left of each segment, grouped as if they had just been added.
  std::vector<MergeInput> inputs;
  std::vector<Group> groups;
  for (const PlacedSegment& placed : base.segments) {
    MergeInput input{placed.segment, std::vector<uint32_t>(placed.segment->row_count, kNoRow)};
    Group group{1, 0, 0};
    for (uint64_t row = 0; row < placed.segment->row_count; ++row) {
      if (!base.is_live(placed.first_row + row)) continue;
      former.push_back(static_cast<uint32_t>(placed.first_row + row));
      input.new_rows[row] = static_cast<uint32_t>(group.rows++);
    }
    if (group.rows == 0) continue;
    group.postings = placed.segment->posting_count() * group.rows / placed.segment->row_count;  // about
    inputs.push_back(std::move(input));
    append(group, &groups);
  }
  std::vector<std::shared_ptr<const SparseSegment>> segments;
  auto input = inputs.begin();
  for (const Group& group : groups) {
    std::vector<MergeInput> own(std::make_move_iterator(input),
                                std::make_move_iterator(input + static_cast<std::ptrdiff_t>(group.pieces)));
    input += static_cast<std::ptrdiff_t>(group.pieces);
    uint32_t first_row = 0;
    for (MergeInput& part : own) {
      uint32_t kept = 0;
      for (uint32_t& row : part.new_rows) {
        if (row == kNoRow) continue;
        row += first_row;
        ++kept;
      }
      first_row += kept;
    }
    std::shared_ptr<const SparseSegment> merged;
    if (Status status = merge_segments(engine_->pool, own, group.rows, threads, cancel, &merged);
        !status.ok())
      return status;
    segments.push_back(std::move(merged));
  }
  auto next = std::make_shared<SparseSnapshot>();
  place(segments, next.get());
  next->total_length = add_lengths(0, segments);
  result->next = std::move(next);
  return Status::success();
}

bool SparseStore::adopt(SparseCompaction compaction) {
  std::lock_guard<std::mutex> writer(writer_);
  if (snapshot() != compaction.base) return false;
  publish(std::move(compaction.next));
  return true;
}

Status SparseStore::adopt_files(std::vector<std::shared_ptr<const SparseSegment>> segments,
                                const uint8_t* removed, unsigned threads, const CancelFlag& cancel) {
  std::lock_guard<std::mutex> writer(writer_);
  uint64_t row_count = 0;
  std::vector<Group> groups;
  for (const std::shared_ptr<const SparseSegment>& segment : segments) {
    row_count += segment->row_count;
    append(group_of(*segment), &groups);
  }
  if (row_count > kMaxRows) return Status::failure(StatusCode::index_full, "too many rows");
  std::vector<std::shared_ptr<const SparseSegment>> merged;
  if (Status status = merge_groups(engine_->pool, groups, std::move(segments), threads, cancel, &merged);
      !status.ok())
    return status;
  auto next = std::make_shared<SparseSnapshot>();
  place(merged, next.get());
  next->total_length = add_lengths(0, merged);
  if (removed != nullptr) {
    std::vector<uint8_t> live = grown_live_rows({}, 0, next->row_count);
    next->removed_count = remove_named_rows(removed, &live);
    next->live = std::make_shared<const std::vector<uint8_t>>(std::move(live));
  }
  publish(std::move(next));
  return Status::success();
}

}  // namespace granule
