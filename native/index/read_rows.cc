#include "index/read_rows.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string>
#include <vector>

#include "index/segment_fill.h"
#include "kernels/stored_vectors.h"

namespace granule {
namespace {

/// Numbers that one task reads, or one row.
constexpr uint64_t kTaskNumbers = 1 << 16;

/// Vectors of one segment, one after another.
struct Run {
  const granule_segment* segment;
  uint64_t first;
  uint64_t count;
};

Run run_of(const Snapshot& snapshot, uint64_t row) {
  const granule_segment& segment = snapshot.segments[segment_index_of(snapshot, row)];
  const uint64_t index = row - segment.first_row;
  if (segment.row_offsets == nullptr) return {&segment, index, 1};
  const uint64_t first = segment.row_offsets[index];
  return {&segment, first, segment.row_offsets[index + 1] - first};
}

/// Consecutive rows of the reading, and where their first vector goes.
struct Task {
  std::size_t begin;
  std::size_t end;
  uint64_t vector;
};

std::vector<Task> divide(const Snapshot& snapshot, const uint32_t* rows, std::size_t count,
                         uint32_t dimension) {
  std::vector<Task> tasks;
  uint64_t vector = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (tasks.empty() || (vector - tasks.back().vector) * dimension >= kTaskNumbers)
      tasks.push_back({i, i, vector});
    tasks.back().end = i + 1;
    vector += run_of(snapshot, rows[i]).count;
  }
  return tasks;
}

}  // namespace

Status measure_rows(const Snapshot& snapshot, const StoreOptions& options, const uint32_t* rows,
                    std::size_t count, uint32_t* lengths, uint64_t* vector_count) {
  *vector_count = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (rows[i] >= snapshot.row_count) {
      return Status::failure(StatusCode::row_not_found,
                             "row " + std::to_string(rows[i]) + " is not one of the " +
                                 std::to_string(snapshot.row_count) + " rows",
                             static_cast<int64_t>(rows[i]));
    }
    const uint64_t length = run_of(snapshot, rows[i]).count;
    if (lengths != nullptr) lengths[i] = static_cast<uint32_t>(length);
    *vector_count += length;
  }
  if (*vector_count > kMaxReadNumbers / options.dimension) {
    return Status::failure(StatusCode::out_of_memory,
                           "a reading gives back at most " + std::to_string(kMaxReadNumbers) +
                               " numbers, this one " + std::to_string(*vector_count) + " vectors of " +
                               std::to_string(options.dimension) + "; divide the rows");
  }
  return Status::success();
}

Status read_rows(Engine& engine, const StoreOptions& options, const Snapshot& snapshot, const uint32_t* rows,
                 std::size_t count, unsigned threads, const CancelFlag& cancel, float* out) {
  const std::vector<Task> tasks = divide(snapshot, rows, count, options.dimension);
  std::atomic<bool> corrupt{false};
  engine.pool.parallel_for(tasks.size(), threads, [&](std::size_t t) {
    float* to = out + tasks[t].vector * options.dimension;
    for (std::size_t i = tasks[t].begin; i < tasks[t].end; ++i) {
      if (cancel.cancelled() || corrupt.load(std::memory_order_relaxed)) return;
      const Run run = run_of(snapshot, rows[i]);
      const granule_segment& segment = *run.segment;
      if (segment.verify != nullptr && segment.verify(segment.owner, run.first, run.count) == 0) {
        corrupt.store(true, std::memory_order_relaxed);
        return;
      }
      const std::size_t numbers = run.count * options.dimension;
      const uint8_t* stored =
          static_cast<const uint8_t*>(segment.vectors) + run.first * options.vector_bytes();
      const float* read = as_float32(*engine.kernels.table, options.dtype, stored, numbers, to);
      if (read != to) std::memcpy(to, read, numbers * sizeof(float));
      to += numbers;
    }
  });
  if (cancel.cancelled()) return Status::failure(StatusCode::aborted, "the reading was aborted");
  if (corrupt.load()) return snapshot.damage();
  return Status::success();
}

}  // namespace granule
