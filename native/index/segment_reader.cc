#include "index/segment_reader.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <utility>

#include "core/code_layout.h"
#include "core/file.h"
#include "core/scan_bias.h"
#include "index/segment_fill.h"
#include "kernels/checksum/checksum.h"
#include "kernels/quantize/quantize.h"

namespace granule {
namespace {

constexpr std::size_t kBlock = CodeLayout::kBlockRows;
/// Bytes that one task reads: its checksum is taken while they are in the processor's cache.
constexpr std::size_t kTaskBytes = 1 << 19;

bool all_finite(const AlignedBuffer<float>& values) {
  return std::all_of(values.data(), values.data() + values.size(), [](float v) { return std::isfinite(v); });
}

bool all_finite(const AlignedBuffer<double>& values) {
  return std::all_of(values.data(), values.data() + values.size(), [](double v) { return std::isfinite(v); });
}

/// One file on its way to being a segment.
struct Opening {
  Opening(const StoreOptions& options, const SegmentFile& segment_file)
      : source(segment_file), layout(options, source.contents) {}

  Status corrupt(const std::string& what) const {
    return Status::of_file(StatusCode::index_corrupt, source.name, what);
  }

  /// Compares the file with what its header promises before memory is taken for it.
  Status open(const std::shared_ptr<Engine>& engine, const StoreOptions& options, bool mapped) {
    if (Status status = file.open(source.path); !status.ok()) return status;
    uint64_t size = 0;
    if (Status status = file.size(&size); !status.ok()) return status;
    const uint64_t expected = source.header_bytes + layout.data_bytes();
    if (size != expected)
      return corrupt("is " + std::to_string(size) + " bytes long, not " + std::to_string(expected));
    const SegmentContents& contents = source.contents;
    segment = std::make_shared<Segment>(engine, contents.row_count, contents.vector_count, options,
                                        contents.coded, contents.biased, mapped);
    block_checksums = AlignedBuffer<uint32_t>((contents.vector_count + kBlock - 1) / kBlock);
    return Status::success();
  }

  void* place_of(SegmentLayout::Kind kind) {
    switch (kind) {
      case SegmentLayout::kCodes:
        return segment->codes.data();
      case SegmentLayout::kSquaredNorms:
        return segment->squared_norms.data();
      case SegmentLayout::kOffsets:
        return segment->row_offsets.data();
      case SegmentLayout::kScales:
        return segment->scales.data();
      case SegmentLayout::kResidualNorms:
        return segment->residual_norms.data();
      case SegmentLayout::kCodeNorms:
        return segment->code_norms.data();
      case SegmentLayout::kBiases:
        return segment->row_biases.data();
      case SegmentLayout::kVectorChecksums:
        return block_checksums.data();
      default:
        return segment->vectors.data();
    }
  }

  /// What a search relies on must hold, whoever wrote the file.
  Status check_values() const {
    const AlignedBuffer<uint64_t>& offsets = segment->row_offsets;
    for (std::size_t row = 0; row + 1 < offsets.size(); ++row) {
      if (offsets[row + 1] <= offsets[row])
        return corrupt("is damaged: document " + std::to_string(row) + " has no vectors");
    }
    if (offsets.size() != 0 &&
        (offsets[0] != 0 || offsets[offsets.size() - 1] != source.contents.vector_count))
      return corrupt("is damaged: its documents do not hold its vectors");
    if (!all_finite(segment->squared_norms) || !all_finite(segment->residual_norms) ||
        !all_finite(segment->code_norms) || !all_finite(segment->row_biases))
      return corrupt("is damaged: it holds a norm or a bias that is not finite");
    const AlignedBuffer<float>& scales = segment->scales;
    if (!std::all_of(scales.data(), scales.data() + scales.size(), scale_in_range))
      return corrupt("is damaged: it holds a scale with which codes bound nothing");
    return Status::success();
  }

  /// What a file need not hold, for it follows from what it holds.
  Status derive_scan_biases(const StoreOptions& options) {
    for (std::size_t v = 0; v < segment->biases.size(); ++v) {
      const double row_bias =
          !options.documents && source.contents.biased ? static_cast<double>(segment->row_biases[v]) : 0.0;
      const double squared_norm = segment->squared_norms.size() != 0 ? segment->squared_norms[v] : 0.0;
      if (!scan_bias(row_bias, squared_norm, &segment->biases[v]))
        return corrupt("is damaged: it has codes for rows that they cannot bound");
    }
    return Status::success();
  }

  const SegmentFile& source;
  const SegmentLayout layout;
  File file;
  std::shared_ptr<Segment> segment;
  AlignedBuffer<uint32_t> block_checksums;
};

/// A part of a tensor.
struct Task {
  Opening* opening;
  std::size_t tensor;
  uint64_t begin;
  uint64_t bytes;
};

class SegmentReader {
 public:
  SegmentReader(Engine& engine, const StoreOptions& options, unsigned threads, const CancelFlag& cancel)
      : engine_(engine),
        crc32c_(engine.kernels.table->crc32c.function),
        options_(options),
        threads_(threads),
        cancel_(cancel) {}

  /// All tensors but the vectors.
  Status read_small(const std::vector<std::unique_ptr<Opening>>& openings) {
    std::vector<Task> tasks;
    for (const std::unique_ptr<Opening>& opening : openings) {
      const std::vector<SegmentLayout::Tensor>& tensors = opening->layout.tensors();
      for (std::size_t t = 0; t + 1 < tensors.size(); ++t) divide(opening.get(), t, kTaskBytes, &tasks);
    }
    std::vector<uint32_t> parts(tasks.size());
    Status status = run(tasks, [&](std::size_t t) { return read_part(tasks[t], &parts[t]); });
    for (std::size_t t = 0; status.ok() && t < tasks.size();) {
      uint32_t crc = 0;
      const Task& first = tasks[t];
      for (; t < tasks.size() && tasks[t].opening == first.opening && tasks[t].tensor == first.tensor; ++t)
        crc = crc32c_combine(crc, parts[t], tasks[t].bytes);
      if (crc != first.opening->source.checksums[first.tensor]) {
        const char* name = first.opening->layout.tensors()[first.tensor].name;
        status = first.opening->corrupt(std::string("is damaged: ") + name + " do not match their checksum");
      }
    }
    return status;
  }

  Status read_vectors(const std::vector<std::unique_ptr<Opening>>& openings) {
    const uint64_t block_bytes = kBlock * options_.vector_bytes();
    const uint64_t step = std::max<uint64_t>(1, kTaskBytes / block_bytes) * block_bytes;
    std::vector<Task> tasks;
    for (const std::unique_ptr<Opening>& opening : openings)
      divide(opening.get(), opening->layout.tensors().size() - 1, step, &tasks);
    return run(tasks, [&](std::size_t t) { return read_blocks(tasks[t], block_bytes); });
  }

 private:
  static void divide(Opening* opening, std::size_t tensor, uint64_t step, std::vector<Task>* tasks) {
    const uint64_t bytes = opening->layout.tensors()[tensor].bytes;
    for (uint64_t begin = 0; begin < bytes; begin += step)
      tasks->push_back({opening, tensor, begin, std::min(step, bytes - begin)});
  }

  template <typename Body>
  Status run(const std::vector<Task>& tasks, Body body) {
    std::atomic<bool> stopped{false};
    std::mutex mutex;
    Status first;
    engine_.pool.parallel_for(tasks.size(), threads_, [&](std::size_t t) {
      if (stopped.load(std::memory_order_relaxed)) return;
      Status status =
          cancel_.cancelled() ? Status::failure(StatusCode::aborted, "the opening was aborted") : body(t);
      if (status.ok()) return;
      std::lock_guard<std::mutex> lock(mutex);
      if (first.ok()) first = std::move(status);
      stopped.store(true, std::memory_order_relaxed);
    });
    return first;
  }

  /// @param out receives the place of the part in memory
  Status read(const Task& task, uint8_t** out) const {
    const SegmentLayout::Tensor& tensor = task.opening->layout.tensors()[task.tensor];
    *out = static_cast<uint8_t*>(task.opening->place_of(tensor.kind)) + task.begin;
    return task.opening->file.read_at(task.opening->source.header_bytes + tensor.offset + task.begin, *out,
                                      task.bytes);
  }

  Status read_part(const Task& task, uint32_t* checksum) const {
    uint8_t* part = nullptr;
    Status status = read(task, &part);
    if (status.ok()) *checksum = crc32c_(0, part, task.bytes);
    return status;
  }

  Status read_blocks(const Task& task, uint64_t block_bytes) const {
    uint8_t* part = nullptr;
    if (Status status = read(task, &part); !status.ok()) return status;
    for (uint64_t begin = 0; begin < task.bytes; begin += block_bytes) {
      const uint64_t block = (task.begin + begin) / block_bytes;
      if (crc32c_(0, part + begin, std::min(block_bytes, task.bytes - begin)) !=
          task.opening->block_checksums[block])
        return task.opening->corrupt(damaged_vectors(block, task.opening->source.contents.vector_count));
    }
    return Status::success();
  }

  Engine& engine_;
  Crc32c* const crc32c_;
  const StoreOptions& options_;
  const unsigned threads_;
  const CancelFlag& cancel_;
};

}  // namespace

Status open_segments(const std::shared_ptr<Engine>& engine, const StoreOptions& options,
                     const std::vector<SegmentFile>& files, bool mapped, unsigned threads,
                     const CancelFlag& cancel, std::vector<std::shared_ptr<Segment>>* segments) {
  std::vector<std::unique_ptr<Opening>> openings;
  for (const SegmentFile& file : files) {
    openings.push_back(std::make_unique<Opening>(options, file));
    if (Status status = openings.back()->open(engine, options, mapped); !status.ok()) return status;
  }
  SegmentReader reader(*engine, options, threads, cancel);
  if (Status status = reader.read_small(openings); !status.ok()) return status;
  for (const std::unique_ptr<Opening>& opening : openings) {
    if (Status status = opening->check_values(); !status.ok()) return status;
    if (Status status = opening->derive_scan_biases(options); !status.ok()) return status;
  }
  if (!mapped) {
    if (Status status = reader.read_vectors(openings); !status.ok()) return status;
  }
  for (const std::unique_ptr<Opening>& opening : openings) {
    if (mapped) {
      const SegmentLayout::Tensor& vectors = opening->layout.tensors().back();
      MappedFile mapping;
      const uint64_t bytes = opening->source.header_bytes + opening->layout.data_bytes();
      if (Status status = mapping.map(opening->file, bytes); !status.ok()) return status;
      opening->segment->mapped = std::make_unique<const MappedVectors>(
          std::move(mapping), opening->source.name, opening->source.header_bytes + vectors.offset,
          opening->source.contents.vector_count, options.vector_bytes(), std::move(opening->block_checksums),
          engine->kernels.table->crc32c.function);
    }
    segments->push_back(std::move(opening->segment));
  }
  return Status::success();
}

}  // namespace granule
