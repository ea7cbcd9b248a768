#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "core/aligned_buffer.h"
#include "core/cancel_flag.h"
#include "core/score.h"
#include "core/status.h"
#include "index/engine.h"

namespace granule {

/// Memory for a run of rows, filled from the front. Readers see only rows that a snapshot shows; the writer
/// touches only what lies behind them.
struct Segment {
  Segment(std::shared_ptr<Engine> engine, std::size_t vector_capacity, uint32_t dimension, Metric metric,
          bool documents, bool coded);
  ~Segment();
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  std::size_t bytes() const;

  const std::shared_ptr<Engine> engine;
  const uint64_t id;
  const std::size_t vector_capacity;
  AlignedBuffer<float> vectors;
  AlignedBuffer<double> squared_norms;
  AlignedBuffer<uint64_t> row_offsets;
  AlignedBuffer<uint8_t> codes;
  AlignedBuffer<float> scales;
  AlignedBuffer<float> residual_norms;
  AlignedBuffer<float> code_norms;
  AlignedBuffer<float> biases;
  /// Whether every scale so far lies where the bounds hold; belongs to the writer.
  bool in_range = true;
};

/// A consistent state of a store: what a search sees from its beginning to its end, whatever is added
/// meanwhile.
struct Snapshot {
  std::vector<std::shared_ptr<const Segment>> owners;
  std::vector<granule_segment> segments;
  uint64_t row_count = 0;
  uint64_t vector_count = 0;
  uint64_t bytes = 0;
};

/// Append-only rows in segments: vectors (flat index) or documents of several vectors (multi-vector index).
/// Nothing ever moves, so adding neither copies what is there nor disturbs a search.
class SegmentStore {
 public:
  /// Rows are numbered below this; 0xffffffff marks an unused place in a result.
  static constexpr uint64_t kMaxRows = 0xffffffffu;

  /// @param coded whether rows get int8 codes beside their vectors
  SegmentStore(std::shared_ptr<Engine> engine, uint32_t dimension, Metric metric, bool documents, bool coded);

  /// Appends vectors; all or nothing. For cosine they are normalised first.
  ///
  /// @param vectors vector_count x dimension
  /// @param lengths of row_count documents, in vectors; null for a flat store, where row_count is
  /// vector_count
  /// @param first_row receives the number of the first row
  /// @return not_finite with the vector's and the column's number, empty_document, length_mismatch,
  /// index_full, aborted
  /// @throws std::bad_alloc
  Status add(const float* vectors, uint64_t vector_count, const uint32_t* lengths, uint64_t row_count,
             unsigned threads, const CancelFlag& cancel, uint64_t* first_row);

  std::shared_ptr<const Snapshot> snapshot() const;

  uint32_t dimension() const { return dimension_; }
  Metric metric() const { return metric_; }
  Engine& engine() const { return *engine_; }

 private:
  struct Piece;

  Status check_lengths(const uint32_t* lengths, uint64_t row_count, uint64_t vector_count) const;
  std::vector<Piece> place(const Snapshot& base, const uint32_t* lengths, uint64_t row_count,
                           uint64_t vector_count);
  Status copy(const std::vector<Piece>& pieces, const float* vectors, unsigned threads,
              const CancelFlag& cancel);
  /// Codes the blocks of 16 rows that an add has completed.
  void encode(const std::vector<Piece>& pieces, unsigned threads);
  void publish(const Snapshot& base, const std::vector<Piece>& pieces);

  const std::shared_ptr<Engine> engine_;
  const uint32_t dimension_;
  const Metric metric_;
  const bool documents_;
  const bool coded_;

  /// Held by the one call that adds.
  std::mutex writer_;
  /// The segment that still has room, and how many vectors of it are published; belongs to the writer.
  std::shared_ptr<Segment> last_;
  std::size_t last_used_ = 0;

  mutable std::mutex state_;
  std::shared_ptr<const Snapshot> snapshot_;
};

}  // namespace granule
