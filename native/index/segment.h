#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "backends/backend.h"
#include "core/aligned_buffer.h"
#include "core/dtype.h"
#include "core/score.h"
#include "index/engine.h"
#include "index/mapped_vectors.h"

namespace granule {

/// What a store keeps of its rows.
struct StoreOptions {
  uint32_t dimension = 0;
  Metric metric = Metric::inner_product;
  Dtype dtype = Dtype::f32;
  /// Rows are documents of several vectors.
  bool documents = false;
  /// Vectors get int8 codes.
  bool coded = true;

  std::size_t vector_bytes() const { return bytes_of(dtype) * dimension; }
};

/// Memory for a run of rows, filled from the front. Readers see only rows that a snapshot shows; the writer
/// touches only what lies behind them.
struct Segment {
  /// @param biased whether rows may carry a bias; those that are given none have 0
  Segment(std::shared_ptr<Engine> engine, std::size_t vector_capacity, const StoreOptions& options,
          bool biased);
  /// One that a file fills: exactly this large.
  ///
  /// @param coded whether its whole blocks have codes
  /// @param mapped whether its vectors stay in the file: `mapped` is to be set
  Segment(std::shared_ptr<Engine> engine, std::size_t row_count, std::size_t vector_count,
          const StoreOptions& options, bool coded, bool biased, bool mapped);
  ~Segment();
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  /// Room for biases of rows, where there was none yet. It must hold no rows.
  ///
  /// @throws std::bad_alloc
  void make_biased(const StoreOptions& options);

  /// Bytes of memory behind its first rows: what lies behind those was never written, and is not resident.
  /// Vectors that stay in a file do not count.
  std::size_t bytes_of(std::size_t row_count, std::size_t vector_count) const;
  /// What a backend sees of it, without rows.
  granule_segment view(uint64_t first_row) const;

  const std::shared_ptr<Engine> engine;
  const uint64_t id;
  const std::size_t vector_capacity;
  AlignedBuffer<uint8_t> vectors;
  /// Where the vectors are instead, for a segment whose vectors stay in its file.
  std::unique_ptr<const MappedVectors> mapped;
  AlignedBuffer<double> squared_norms;
  AlignedBuffer<uint64_t> row_offsets;
  AlignedBuffer<float> row_biases;
  AlignedBuffer<uint8_t> codes;
  AlignedBuffer<float> scales;
  AlignedBuffer<float> residual_norms;
  AlignedBuffer<float> code_norms;
  AlignedBuffer<float> biases;
  /// Whether the bounds hold for every vector so far; belongs to the writer.
  bool in_range = true;
};

/// A consistent state of a store: what a search sees from its beginning to its end, whatever is added or
/// removed meanwhile.
struct Snapshot {
  std::vector<std::shared_ptr<const Segment>> owners;
  std::vector<granule_segment> segments;
  uint64_t row_count = 0;
  uint64_t vector_count = 0;
  uint64_t bytes = 0;
  /// Bit r & 7 of byte r >> 3 says that row r was not removed; null while none was.
  std::shared_ptr<const std::vector<uint8_t>> live;
  uint64_t removed_count = 0;

  /// Why a backend found a file damaged: index_corrupt, with the file's name.
  Status damage() const;
};

}  // namespace granule
