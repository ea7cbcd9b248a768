#include "index/segment_writer.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

#include "core/code_layout.h"
#include "core/file.h"
#include "core/scan_bias.h"
#include "index/segment_fill.h"
#include "index/segment_layout.h"
#include "kernels/checksum/checksum.h"
#include "kernels/stored_vectors.h"

namespace granule {
namespace {

constexpr std::size_t kBlock = CodeLayout::kBlockRows;
/// Bytes of vectors that one task writes.
constexpr std::size_t kTaskBytes = 1 << 20;
/// Vectors after which a file ends, however small they are: what is kept of each while it is written stays
/// small.
constexpr uint64_t kMostVectors = uint64_t{1} << 22;

/// Consecutive rows of one segment, and where they go in the file.
struct Run {
  const granule_segment* segment;
  uint64_t first_row;
  uint64_t row_count;
  uint64_t first_vector;
  uint64_t vector_count;
  uint64_t row_at;
  uint64_t vector_at;
};

uint64_t vector_at(const granule_segment& segment, uint64_t row) {
  return segment.row_offsets != nullptr ? segment.row_offsets[row] : row;
}

/// Whether a segment lost its codes to a row that they cannot bound.
bool lost_codes(const StoreOptions& options, const granule_segment& segment) {
  return options.coded && segment.coded_vector_count == 0 && vector_at(segment, segment.row_count) >= kBlock;
}

/// The rows of one file. Segments with codes and segments that lost theirs do not share a file.
std::vector<Run> rows_of_file(const StoreOptions& options, const Snapshot& snapshot, uint64_t first_row,
                              uint64_t most_bytes) {
  const uint64_t vector_bytes =
      options.vector_bytes() + (options.coded ? CodeLayout::block_bytes(options.dimension) / kBlock : 0);
  const uint64_t fitting = std::clamp<uint64_t>(most_bytes / vector_bytes, 1, kMostVectors);
  // Whole blocks: rows behind the last one have no codes.
  const uint64_t most_vectors = fitting >= kBlock ? fitting / kBlock * kBlock : fitting;
  std::vector<Run> runs;
  uint64_t rows = 0;
  uint64_t vectors = 0;
  std::size_t s = segment_index_of(snapshot, first_row);
  const bool without_codes = lost_codes(options, snapshot.segments[s]);
  for (; s < snapshot.segments.size(); ++s) {
    const granule_segment& segment = snapshot.segments[s];
    if (lost_codes(options, segment) != without_codes) break;
    const uint64_t begin = first_row + rows - segment.first_row;
    const uint64_t first_vector = vector_at(segment, begin);
    const uint64_t room = most_vectors - vectors;
    uint64_t end;
    if (segment.row_offsets == nullptr) {
      end = std::min(segment.row_count, begin + room);
    } else {
      const uint64_t* offsets = segment.row_offsets;
      end = static_cast<uint64_t>(
          std::upper_bound(offsets + begin, offsets + segment.row_count + 1, first_vector + room) - offsets -
          1);
    }
    // A document that is larger than a file has one of its own.
    if (end == begin && rows == 0) end = begin + 1;
    if (end == begin) break;
    const uint64_t count = vector_at(segment, end) - first_vector;
    runs.push_back({&segment, begin, end - begin, first_vector, count, rows, vectors});
    rows += end - begin;
    vectors += count;
    if (end < segment.row_count || vectors >= most_vectors) break;
  }
  return runs;
}

/// One attempt to write a file.
class SegmentWriter {
 public:
  SegmentWriter(Engine& engine, const StoreOptions& options, const Snapshot& snapshot,
                const std::vector<Run>& runs, const SegmentContents& contents, const CancelFlag& cancel)
      : engine_(engine),
        crc32c_(engine.kernels.table->crc32c.function),
        options_(options),
        snapshot_(snapshot),
        runs_(runs),
        contents_(contents),
        cancel_(cancel),
        layout_(options, contents),
        header_bytes_(layout_.header(std::vector<uint32_t>(layout_.tensors().size())).size()),
        scales_(contents.coded ? contents.vector_count : 0),
        residual_norms_(scales_.size()),
        code_norms_(scales_.size()),
        block_checksums_((contents.vector_count + kBlock - 1) / kBlock),
        step_(std::max<std::size_t>(1, kTaskBytes / (options.vector_bytes() * kBlock)) * kBlock) {}

  /// @param bounded receives false, and the file is not finished, where codes do not bound every row
  Status write(const std::string& path, unsigned threads, WrittenSegment* written, bool* bounded) {
    if (Status status = file_.create(path); !status.ok()) return status;
    const std::size_t tasks = (contents_.vector_count + step_ - 1) / step_;
    std::vector<uint32_t> vector_parts(tasks);
    std::vector<uint32_t> code_parts(tasks);
    engine_.pool.parallel_for(tasks, threads, [&](std::size_t t) {
      if (stopped_.load(std::memory_order_relaxed)) return;
      if (Status status = write_vectors(t * step_, &vector_parts[t], &code_parts[t]); !status.ok())
        stop(std::move(status));
    });
    *bounded = bounded_.load();
    if (!status_.ok() || !*bounded) return status_;

    std::vector<uint32_t> checksums;
    for (const SegmentLayout::Tensor& tensor : layout_.tensors()) {
      uint32_t checksum = 0;
      if (tensor.kind == SegmentLayout::kVectors) {
        checksum = combined(vector_parts, contents_.vector_count, options_.vector_bytes());
      } else if (tensor.kind == SegmentLayout::kCodes) {
        checksum = combined(code_parts, contents_.vector_count / kBlock * kBlock,
                            CodeLayout::block_bytes(options_.dimension) / kBlock);
      } else if (Status status = write_small(tensor, &checksum); !status.ok()) {
        return status;
      }
      checksums.push_back(checksum);
    }
    written->header = layout_.header(checksums);
    written->row_count = contents_.row_count;
    written->vector_count = contents_.vector_count;
    written->bytes = header_bytes_ + layout_.data_bytes();
    if (Status status = file_.write_at(0, written->header.data(), written->header.size()); !status.ok())
      return status;
    return file_.sync();
  }

 private:
  void stop(Status status) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (status_.ok()) status_ = std::move(status);
    stopped_.store(true, std::memory_order_relaxed);
  }

  uint64_t offset_of(SegmentLayout::Kind kind) const {
    for (const SegmentLayout::Tensor& tensor : layout_.tensors()) {
      if (tensor.kind == kind) return header_bytes_ + tensor.offset;
    }
    return 0;
  }

  /// The checksum of a tensor from those of its parts, each of which holds `step_` vectors but the last.
  uint32_t combined(const std::vector<uint32_t>& parts, uint64_t vector_count, uint64_t vector_bytes) const {
    uint32_t crc = 0;
    for (std::size_t t = 0; t < parts.size(); ++t) {
      const uint64_t begin = std::min<uint64_t>(vector_count, t * step_);
      const uint64_t end = std::min<uint64_t>(vector_count, begin + step_);
      crc = crc32c_combine(crc, parts[t], (end - begin) * vector_bytes);
    }
    return crc;
  }

  const Run& run_of(uint64_t vector) const {
    return *(std::upper_bound(runs_.begin(), runs_.end(), vector,
                              [](uint64_t v, const Run& run) { return v < run.vector_at; }) -
             1);
  }

  /// Calls `visit(run, first vector in its segment, count, place in the file)` for the vectors of the file
  /// from `begin` up to `end`.
  template <typename Visit>
  void for_each_part(uint64_t begin, uint64_t end, Visit visit) const {
    while (begin < end) {
      const Run& run = run_of(begin);
      const uint64_t count = std::min(end, run.vector_at + run.vector_count) - begin;
      visit(run, run.first_vector + (begin - run.vector_at), count, begin);
      begin += count;
    }
  }

  /// The bytes of vectors that lie in one or in several segments.
  ///
  /// @param gathered room that they are brought together in, where they lie in several
  /// @return null where a mapped file is damaged
  const uint8_t* bytes_of_vectors(uint64_t begin, uint64_t end, AlignedBuffer<uint8_t>* gathered) const {
    bool sound = true;
    const uint8_t* in_place = nullptr;
    for_each_part(begin, end, [&](const Run& run, uint64_t first, uint64_t count, uint64_t at) {
      const granule_segment& segment = *run.segment;
      sound = sound && (segment.verify == nullptr || segment.verify(segment.owner, first, count) != 0);
      const uint8_t* from = static_cast<const uint8_t*>(segment.vectors) + first * options_.vector_bytes();
      if (count == end - begin) {
        in_place = from;
        return;
      }
      if (gathered->size() == 0) *gathered = AlignedBuffer<uint8_t>((end - begin) * options_.vector_bytes());
      if (sound) {
        std::memcpy(gathered->data() + (at - begin) * options_.vector_bytes(), from,
                    count * options_.vector_bytes());
      }
    });
    if (!sound) return nullptr;
    return in_place != nullptr ? in_place : gathered->data();
  }

  Status write_vectors(uint64_t begin, uint32_t* vector_part, uint32_t* code_part) {
    if (cancel_.cancelled()) return Status::failure(StatusCode::aborted, "the save was aborted");
    const uint64_t end = std::min<uint64_t>(contents_.vector_count, begin + step_);
    AlignedBuffer<uint8_t> gathered;
    const uint8_t* vectors = bytes_of_vectors(begin, end, &gathered);
    if (vectors == nullptr) return snapshot_.damage();
    const std::size_t bytes = (end - begin) * options_.vector_bytes();
    for (uint64_t v = begin; v < end; v += kBlock) {
      block_checksums_[v / kBlock] =
          crc32c_(0, vectors + (v - begin) * options_.vector_bytes(),
                  (std::min<uint64_t>(end, v + kBlock) - v) * options_.vector_bytes());
    }
    *vector_part = crc32c_(0, vectors, bytes);
    const uint64_t at = offset_of(SegmentLayout::kVectors) + begin * options_.vector_bytes();
    if (Status status = file_.write_at(at, vectors, bytes); !status.ok()) return status;
    return contents_.coded ? write_codes(begin, end / kBlock * kBlock, vectors, code_part)
                           : Status::success();
  }

  /// Codes of whole blocks, whose vectors are given.
  Status write_codes(uint64_t begin, uint64_t end, const uint8_t* vectors, uint32_t* code_part) {
    if (begin >= end) return Status::success();
    const std::size_t block_bytes = CodeLayout::block_bytes(options_.dimension);
    AlignedBuffer<uint8_t> codes((end - begin) / kBlock * block_bytes);
    AlignedBuffer<float> widened(options_.dtype != Dtype::f32 ? kBlock * options_.dimension : 0);
    for (uint64_t v = begin; v < end; v += kBlock) {
      uint8_t* block = codes.data() + (v - begin) / kBlock * block_bytes;
      const Run& run = run_of(v);
      const uint64_t source = run.first_vector + (v - run.vector_at);
      if (v + kBlock <= run.vector_at + run.vector_count && source % kBlock == 0 &&
          source + kBlock <= run.segment->coded_vector_count) {
        std::memcpy(block, run.segment->codes + source / kBlock * block_bytes, block_bytes);
        std::copy_n(run.segment->scales + source, kBlock, scales_.data() + v);
        std::copy_n(run.segment->residual_norms + source, kBlock, residual_norms_.data() + v);
        std::copy_n(run.segment->code_norms + source, kBlock, code_norms_.data() + v);
        continue;
      }
      const float* rows =
          as_float32(*engine_.kernels.table, options_.dtype, vectors + (v - begin) * options_.vector_bytes(),
                     kBlock * options_.dimension, widened.data());
      const bool fits = engine_.kernels.table->quantize_block(
          rows, std::size_t{options_.dimension}, QuantizeTraffic{}, block, scales_.data() + v,
          residual_norms_.data() + v, code_norms_.data() + v);
      if (!fits || !scan_biases_bound(v)) {
        bounded_.store(false, std::memory_order_relaxed);
        stopped_.store(true, std::memory_order_relaxed);
        return Status::success();
      }
    }
    *code_part = crc32c_(0, codes.data(), codes.bytes());
    const uint64_t at = offset_of(SegmentLayout::kCodes) + begin / kBlock * block_bytes;
    return file_.write_at(at, codes.data(), codes.bytes());
  }

  bool scan_biases_bound(uint64_t block_begin) const {
    bool bound = true;
    for_each_part(
        block_begin, block_begin + kBlock, [&](const Run& run, uint64_t first, uint64_t count, uint64_t) {
          const granule_segment& segment = *run.segment;
          for (uint64_t v = first; v < first + count; ++v) {
            const double row_bias = !options_.documents && segment.row_biases != nullptr
                                        ? static_cast<double>(segment.row_biases[v])
                                        : 0.0;
            const double squared_norm = segment.squared_norms != nullptr ? segment.squared_norms[v] : 0.0;
            float unused;
            bound = scan_bias(row_bias, squared_norm, &unused) && bound;
          }
        });
    return bound;
  }

  Status write_bytes(const SegmentLayout::Tensor& tensor, const void* data, uint32_t* checksum) const {
    *checksum = crc32c_(0, data, tensor.bytes);
    return file_.write_at(header_bytes_ + tensor.offset, data, tensor.bytes);
  }

  /// A tensor of a few bytes per vector or row.
  Status write_small(const SegmentLayout::Tensor& tensor, uint32_t* checksum) const {
    switch (tensor.kind) {
      case SegmentLayout::kScales:
        return write_bytes(tensor, scales_.data(), checksum);
      case SegmentLayout::kResidualNorms:
        return write_bytes(tensor, residual_norms_.data(), checksum);
      case SegmentLayout::kCodeNorms:
        return write_bytes(tensor, code_norms_.data(), checksum);
      case SegmentLayout::kVectorChecksums:
        return write_bytes(tensor, block_checksums_.data(), checksum);
      case SegmentLayout::kSquaredNorms: {
        AlignedBuffer<double> norms(contents_.vector_count);
        for (const Run& run : runs_)
          std::copy_n(run.segment->squared_norms + run.first_vector, run.vector_count,
                      norms.data() + run.vector_at);
        return write_bytes(tensor, norms.data(), checksum);
      }
      case SegmentLayout::kOffsets: {
        AlignedBuffer<uint64_t> offsets(contents_.row_count + 1);
        for (const Run& run : runs_) {
          for (uint64_t row = 0; row <= run.row_count; ++row) {
            offsets[run.row_at + row] =
                run.segment->row_offsets[run.first_row + row] - run.first_vector + run.vector_at;
          }
        }
        return write_bytes(tensor, offsets.data(), checksum);
      }
      default: {
        AlignedBuffer<float> biases(contents_.row_count);
        for (const Run& run : runs_) {
          for (uint64_t row = 0; row < run.row_count; ++row) {
            biases[run.row_at + row] =
                run.segment->row_biases != nullptr ? run.segment->row_biases[run.first_row + row] : 0.0f;
          }
        }
        return write_bytes(tensor, biases.data(), checksum);
      }
    }
  }

  Engine& engine_;
  Crc32c* const crc32c_;
  const StoreOptions& options_;
  const Snapshot& snapshot_;
  const std::vector<Run>& runs_;
  const SegmentContents contents_;
  const CancelFlag& cancel_;
  const SegmentLayout layout_;
  const std::size_t header_bytes_;
  AlignedBuffer<float> scales_;
  AlignedBuffer<float> residual_norms_;
  AlignedBuffer<float> code_norms_;
  AlignedBuffer<uint32_t> block_checksums_;
  /// Vectors of one task, whole blocks.
  const std::size_t step_;
  File file_;
  std::atomic<bool> bounded_{true};
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;
  Status status_;
};

}  // namespace

Status write_segment(Engine& engine, const StoreOptions& options, const Snapshot& snapshot,
                     uint64_t first_row, const std::string& path, uint64_t most_bytes, unsigned threads,
                     const CancelFlag& cancel, WrittenSegment* written) {
  const std::vector<Run> runs = rows_of_file(options, snapshot, first_row, most_bytes);
  SegmentContents contents;
  contents.row_count = runs.back().row_at + runs.back().row_count;
  contents.vector_count = runs.back().vector_at + runs.back().vector_count;
  contents.coded = options.coded && contents.vector_count >= kBlock;
  for (const Run& run : runs) {
    contents.coded = contents.coded && !lost_codes(options, *run.segment);
    contents.biased = contents.biased || run.segment->row_biases != nullptr;
  }
  for (;;) {
    bool bounded = true;
    Status status = SegmentWriter(engine, options, snapshot, runs, contents, cancel)
                        .write(path, threads, written, &bounded);
    if (!status.ok() || bounded) return status;
    contents.coded = false;
  }
}

}  // namespace granule
