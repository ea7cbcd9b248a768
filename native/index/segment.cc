#include "index/segment.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "core/code_layout.h"

namespace granule {
namespace {

std::atomic<uint64_t> next_segment_id{1};

std::size_t whole_blocks(std::size_t vectors) {
  return vectors / CodeLayout::kBlockRows * CodeLayout::kBlockRows;
}

bool has_scan_biases(const StoreOptions& options, bool biased) {
  return options.metric == Metric::squared_l2 || (biased && !options.documents);
}

int32_t verify_mapped(const void* owner, uint64_t first_vector, uint64_t vector_count) {
  return static_cast<const MappedVectors*>(owner)->verify(first_vector, vector_count) ? 1 : 0;
}

}  // namespace

Segment::Segment(std::shared_ptr<Engine> owner, std::size_t capacity, const StoreOptions& options,
                 bool biased)
    : engine(std::move(owner)),
      id(next_segment_id.fetch_add(1, std::memory_order_relaxed)),
      vector_capacity(capacity),
      vectors(capacity * options.vector_bytes()),
      squared_norms(options.metric == Metric::squared_l2 ? capacity : 0),
      // A document has at least one vector, so there are never more documents than vectors.
      row_offsets(options.documents ? capacity + 1 : 0),
      row_biases(biased ? capacity : 0),
      codes(options.coded ? capacity / CodeLayout::kBlockRows * CodeLayout::block_bytes(options.dimension)
                          : 0),
      scales(options.coded ? capacity : 0),
      residual_norms(options.coded ? capacity : 0),
      code_norms(options.coded ? capacity : 0),
      biases(options.coded && has_scan_biases(options, biased) ? capacity : 0) {
  if (options.documents) row_offsets[0] = 0;
}

Segment::Segment(std::shared_ptr<Engine> owner, std::size_t row_count, std::size_t vector_count,
                 const StoreOptions& options, bool coded, bool biased, bool stays_in_file)
    : engine(std::move(owner)),
      id(next_segment_id.fetch_add(1, std::memory_order_relaxed)),
      vector_capacity(vector_count),
      vectors(stays_in_file ? 0 : vector_count * options.vector_bytes()),
      squared_norms(options.metric == Metric::squared_l2 ? vector_count : 0),
      row_offsets(options.documents ? row_count + 1 : 0),
      row_biases(biased ? row_count : 0),
      codes(coded ? vector_count / CodeLayout::kBlockRows * CodeLayout::block_bytes(options.dimension) : 0),
      scales(coded ? whole_blocks(vector_count) : 0),
      residual_norms(coded ? whole_blocks(vector_count) : 0),
      code_norms(coded ? whole_blocks(vector_count) : 0),
      biases(coded && has_scan_biases(options, biased) ? whole_blocks(vector_count) : 0),
      in_range(coded) {}

void Segment::make_biased(const StoreOptions& options) {
  if (row_biases.size() != 0) return;
  if (options.coded && has_scan_biases(options, true)) biases = AlignedBuffer<float>(vector_capacity);
  row_biases = AlignedBuffer<float>(vector_capacity);
}

std::size_t Segment::bytes_of(std::size_t row_count, std::size_t vector_count) const {
  if (row_count == 0) return 0;
  const std::size_t of_vectors = vectors.bytes() + squared_norms.bytes() + codes.bytes() + scales.bytes() +
                                 residual_norms.bytes() + code_norms.bytes() + biases.bytes();
  std::size_t bytes = of_vectors * vector_count / vector_capacity;
  if (mapped != nullptr) bytes += mapped->bytes();
  if (row_offsets.size() != 0) bytes += sizeof(uint64_t) * (row_count + 1);
  if (row_biases.size() != 0) bytes += sizeof(float) * row_count;
  return bytes;
}

granule_segment Segment::view(uint64_t first_row) const {
  granule_segment out{};
  out.id = id;
  out.first_row = first_row;
  if (mapped != nullptr) {
    out.vectors = mapped->data();
    out.verify = verify_mapped;
    out.owner = mapped.get();
  } else {
    out.vectors = vectors.data();
  }
  out.squared_norms = squared_norms.data();
  out.row_offsets = row_offsets.data();
  out.row_biases = row_biases.data();
  out.codes = codes.data();
  out.scales = scales.data();
  out.residual_norms = residual_norms.data();
  out.code_norms = code_norms.data();
  out.biases = biases.data();
  return out;
}

Segment::~Segment() {
  for (const BackendEntry& entry : engine->backends.entries()) {
    if (entry.available) entry.backend.release_segment(entry.backend.self, id);
  }
}

Status Snapshot::damage() const {
  for (const std::shared_ptr<const Segment>& segment : owners) {
    if (segment->mapped == nullptr) continue;
    if (Status status = segment->mapped->damage(); !status.ok()) return status;
  }
  return Status::failure(StatusCode::index_corrupt, "a file of the index is damaged");
}

}  // namespace granule
