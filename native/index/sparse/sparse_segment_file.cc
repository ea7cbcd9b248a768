#include "index/sparse/sparse_segment_file.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <utility>

#include "core/file.h"
#include "index/sparse/sparse_build.h"
#include "index/tensor_header.h"
#include "kernels/checksum/checksum.h"

namespace granule {
namespace {

/// Items of a tensor that one task reads or writes: few enough to stay in the processor's cache.
constexpr uint64_t kTaskItems = 1 << 17;

/// The tensors, widest items first, so that each lies at a multiple of its size. Values are indexes into the
/// list.
enum SparseTensor : std::size_t { kOffsets, kTerms, kRows, kValues, kLengths };

struct SparseLayout {
  SparseLayout(uint64_t rows, uint64_t terms, uint64_t postings, bool saturating) {
    add("offsets", "U64", sizeof(uint64_t), terms + 1);
    add("terms", "U32", sizeof(uint32_t), terms);
    add("rows", "U32", sizeof(uint32_t), postings);
    add("values", "F32", sizeof(float), postings);
    if (saturating) add("lengths", "F32", sizeof(float), rows);
  }

  void add(const char* name, const char* dtype, uint64_t item_bytes, uint64_t items) {
    tensors.push_back({name, dtype, {items}, data_bytes, items * item_bytes});
    data_bytes += items * item_bytes;
  }

  std::vector<FileTensor> tensors;
  uint64_t data_bytes = 0;
};

/// The first failure of several threads.
class FirstFailure {
 public:
  bool happened() const { return happened_.load(std::memory_order_relaxed); }
  void note(Status status) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!happened()) status_ = std::move(status);
    happened_.store(true, std::memory_order_relaxed);
  }
  const Status& status() const { return status_; }

 private:
  std::atomic<bool> happened_{false};
  std::mutex mutex_;
  Status status_;
};

/// A part of a tensor: the items from `begin` up to `end`.
struct Part {
  std::size_t tensor;
  uint64_t begin;
  uint64_t end;
};

class SparseSegmentWriter {
 public:
  SparseSegmentWriter(Engine& engine, const SparseSegment& segment, bool saturating)
      : engine_(engine),
        crc32c_(engine.kernels.table->crc32c.function),
        segment_(segment),
        layout_(segment.row_count, segment.terms.size(), segment.posting_count(), saturating),
        saturating_(saturating) {}

  Status write(const std::string& path, unsigned threads, const CancelFlag& cancel, WrittenSegment* written) {
    if (Status status = file_.create(path); !status.ok()) return status;
    const std::size_t tensor_count = layout_.tensors.size();
    header_bytes_ = header(std::vector<uint32_t>(tensor_count)).size();
    std::vector<Part> parts;
    for (std::size_t t = 0; t < tensor_count; ++t) {
      const uint64_t items = layout_.tensors[t].shape[0];
      for (uint64_t begin = 0; begin < items; begin += kTaskItems)
        parts.push_back({t, begin, std::min(items, begin + kTaskItems)});
    }
    std::vector<uint32_t> part_checksums(parts.size());
    FirstFailure failure;
    engine_.pool.parallel_for(parts.size(), threads, [&](std::size_t p) {
      if (failure.happened()) return;
      Status status = cancel.cancelled() ? Status::failure(StatusCode::aborted, "the save was aborted")
                                         : write_part(parts[p], &part_checksums[p]);
      if (!status.ok()) failure.note(std::move(status));
    });
    if (failure.happened()) return failure.status();
    std::vector<uint32_t> checksums(tensor_count, 0);
    for (std::size_t p = 0; p < parts.size(); ++p) {
      uint32_t& checksum = checksums[parts[p].tensor];
      checksum = crc32c_combine(checksum, part_checksums[p], bytes_of(parts[p]));
    }
    written->header = header(checksums);
    written->row_count = segment_.row_count;
    written->bytes = header_bytes_ + layout_.data_bytes;
    if (Status status = file_.write_at(0, written->header.data(), written->header.size()); !status.ok())
      return status;
    return file_.sync();
  }

 private:
  std::string header(const std::vector<uint32_t>& checksums) const {
    TensorHeader out;
    out.add_fact("kind", "sparse");
    out.add_fact("saturating", saturating_ ? "true" : "false");
    out.add_fact("rows", std::to_string(segment_.row_count));
    out.add_fact("terms", std::to_string(segment_.terms.size()));
    out.add_fact("postings", std::to_string(segment_.posting_count()));
    for (std::size_t t = 0; t < layout_.tensors.size(); ++t) out.add_tensor(layout_.tensors[t], checksums[t]);
    return out.bytes();
  }

  uint64_t item_bytes(std::size_t tensor) const { return tensor == kOffsets ? 8 : 4; }
  uint64_t bytes_of(const Part& part) const { return (part.end - part.begin) * item_bytes(part.tensor); }

  Status write_part(const Part& part, uint32_t* checksum) const {
    const auto put = [&](const void* items) {
      *checksum = crc32c_(0, items, bytes_of(part));
      const uint64_t at = layout_.tensors[part.tensor].offset + part.begin * item_bytes(part.tensor);
      return file_.write_at(header_bytes_ + at, items, bytes_of(part));
    };
    switch (part.tensor) {
      case kOffsets: {
        std::vector<uint64_t> offsets;
        for (uint64_t i = part.begin; i < part.end; ++i)
          offsets.push_back(segment_.run_offsets[segment_.term_offsets[i]]);
        return put(offsets.data());
      }
      case kTerms:
        return put(segment_.terms.data() + part.begin);
      case kRows:
        return put(rows_of(part).data());
      case kValues:
        return put(segment_.values.data() + part.begin);
      default:
        return put(segment_.lengths.data() + part.begin);
    }
  }

  /// The rows of postings, as numbers within the segment.
  std::vector<uint32_t> rows_of(const Part& part) const {
    const uint32_t* const offsets = segment_.run_offsets.data();
    const uint32_t* const after =
        std::upper_bound(offsets, offsets + segment_.run_offsets.size(), part.begin);
    auto run = static_cast<std::size_t>(after - offsets) - 1;
    std::vector<uint32_t> rows;
    rows.reserve(part.end - part.begin);
    for (uint64_t p = part.begin; p < part.end; ++p) {
      while (p >= offsets[run + 1]) ++run;
      rows.push_back(segment_.run_blocks[run] * SparseSegment::kBlockRows + segment_.rows[p]);
    }
    return rows;
  }

  Engine& engine_;
  Crc32c* const crc32c_;
  const SparseSegment& segment_;
  const SparseLayout layout_;
  const bool saturating_;
  File file_;
  uint64_t header_bytes_ = 0;
};

class SparseSegmentReader {
 public:
  SparseSegmentReader(Engine& engine, bool saturating, const SparseSegmentFile& source)
      : engine_(engine),
        crc32c_(engine.kernels.table->crc32c.function),
        source_(source),
        layout_(source.row_count, source.term_count, source.posting_count, saturating),
        saturating_(saturating) {}

  Status read(unsigned threads, const CancelFlag& cancel, std::shared_ptr<const SparseSegment>* segment) {
    if (Status status = open(); !status.ok()) return status;
    offsets_ = AlignedBuffer<uint64_t>(source_.term_count + 1);
    terms_ = AlignedBuffer<uint32_t>(source_.term_count);
    AlignedBuffer<float> lengths(saturating_ ? source_.row_count : 0);
    if (Status status = read_whole(kOffsets, offsets_.data()); !status.ok()) return status;
    if (Status status = read_whole(kTerms, terms_.data()); !status.ok()) return status;
    if (saturating_) {
      if (Status status = read_whole(kLengths, lengths.data()); !status.ok()) return status;
    }
    if (Status status = check_dictionary(lengths); !status.ok()) return status;

    std::vector<uint64_t> borders{0};
    for (uint64_t term = 1; term <= source_.term_count; ++term) {
      if (term == source_.term_count || offsets_[term + 1] - offsets_[borders.back()] > kTaskItems)
        borders.push_back(term);
    }
    const std::size_t ranges = borders.size() - 1;
    std::vector<PostingRuns> runs(ranges, PostingRuns(saturating_ ? lengths.data() : nullptr));
    std::vector<uint32_t> row_checksums(ranges);
    std::vector<uint32_t> value_checksums(ranges);
    FirstFailure failure;
    engine_.pool.parallel_for(ranges, threads, [&](std::size_t i) {
      if (failure.happened()) return;
      Status status = cancel.cancelled() ? Status::failure(StatusCode::aborted, "the opening was aborted")
                                         : read_postings(borders[i], borders[i + 1], &row_checksums[i],
                                                         &value_checksums[i], &runs[i]);
      if (!status.ok()) failure.note(std::move(status));
    });
    if (failure.happened()) return failure.status();
    uint32_t row_checksum = 0;
    uint32_t value_checksum = 0;
    for (std::size_t i = 0; i < ranges; ++i) {
      const uint64_t bytes = (offsets_[borders[i + 1]] - offsets_[borders[i]]) * sizeof(uint32_t);
      row_checksum = crc32c_combine(row_checksum, row_checksums[i], bytes);
      value_checksum = crc32c_combine(value_checksum, value_checksums[i], bytes);
    }
    if (Status status = compare(kRows, row_checksum); !status.ok()) return status;
    if (Status status = compare(kValues, value_checksum); !status.ok()) return status;
    *segment = join_runs(source_.row_count, std::move(lengths), std::move(runs));
    return Status::success();
  }

 private:
  Status corrupt(const std::string& what) const {
    return Status::of_file(StatusCode::index_corrupt, source_.name, what);
  }

  /// Compares the file with what its header promises before memory is taken for it.
  Status open() {
    if (Status status = file_.open(source_.path); !status.ok()) return status;
    uint64_t size = 0;
    if (Status status = file_.size(&size); !status.ok()) return status;
    const uint64_t expected = source_.header_bytes + layout_.data_bytes;
    if (size != expected)
      return corrupt("is " + std::to_string(size) + " bytes long, not " + std::to_string(expected));
    if (source_.row_count > SparseSegment::kMaxRows) return corrupt("has more rows than a segment holds");
    return Status::success();
  }

  Status read_whole(SparseTensor tensor, void* to) const {
    const FileTensor& which = layout_.tensors[tensor];
    if (Status status = file_.read_at(source_.header_bytes + which.offset, to, which.bytes); !status.ok())
      return status;
    return compare(tensor, crc32c_(0, to, which.bytes));
  }

  Status compare(SparseTensor tensor, uint32_t checksum) const {
    if (checksum == source_.checksums[tensor]) return Status::success();
    return corrupt(std::string("is damaged: ") + layout_.tensors[tensor].name +
                   " do not match their checksum");
  }

  /// What tells where postings lie must hold before one is read, whoever wrote the file.
  Status check_dictionary(const AlignedBuffer<float>& lengths) const {
    if (offsets_[0] != 0 || offsets_[source_.term_count] != source_.posting_count)
      return corrupt("is damaged: its terms do not hold its postings");
    for (uint64_t term = 0; term < source_.term_count; ++term) {
      if (offsets_[term + 1] <= offsets_[term] || (term > 0 && terms_[term] <= terms_[term - 1]))
        return corrupt("is damaged: its terms do not ascend, or have no postings");
    }
    const bool sound = std::all_of(lengths.data(), lengths.data() + lengths.size(), [](float length) {
      return std::isfinite(length) && !std::signbit(length);
    });
    return sound ? Status::success() : corrupt("is damaged: it holds a length that is none");
  }

  /// The postings of the terms from `begin` up to `end`.
  Status read_postings(uint64_t begin, uint64_t end, uint32_t* row_checksum, uint32_t* value_checksum,
                       PostingRuns* runs) const {
    const uint64_t first = offsets_[begin];
    const uint64_t count = offsets_[end] - first;
    AlignedBuffer<uint32_t> rows(count);
    AlignedBuffer<float> values(count);
    const auto read = [&](SparseTensor tensor, void* to, uint32_t* checksum) {
      const uint64_t at = source_.header_bytes + layout_.tensors[tensor].offset + first * sizeof(uint32_t);
      Status status = file_.read_at(at, to, count * sizeof(uint32_t));
      if (status.ok()) *checksum = crc32c_(0, to, count * sizeof(uint32_t));
      return status;
    };
    if (Status status = read(kRows, rows.data(), row_checksum); !status.ok()) return status;
    if (Status status = read(kValues, values.data(), value_checksum); !status.ok()) return status;
    runs->reserve(count);
    for (uint64_t term = begin; term < end; ++term) {
      runs->begin_term(terms_[term]);
      for (uint64_t p = offsets_[term] - first; p < offsets_[term + 1] - first; ++p) {
        const bool ascends = p == offsets_[term] - first || rows[p] > rows[p - 1];
        if (!ascends || rows[p] >= source_.row_count)
          return corrupt("is damaged: the rows of a term do not ascend, or are not its rows");
        if (!std::isfinite(values[p]) || (saturating_ && values[p] <= 0))
          return corrupt("is damaged: it holds a value that none can be");
        runs->append(rows[p], values[p]);
      }
    }
    return Status::success();
  }

  Engine& engine_;
  Crc32c* const crc32c_;
  const SparseSegmentFile& source_;
  const SparseLayout layout_;
  const bool saturating_;
  File file_;
  AlignedBuffer<uint64_t> offsets_;
  AlignedBuffer<uint32_t> terms_;
};

}  // namespace

Status write_sparse_segment(Engine& engine, const SparseSnapshot& snapshot, bool saturating,
                            uint64_t first_row, const std::string& path, unsigned threads,
                            const CancelFlag& cancel, WrittenSegment* written) {
  const auto after =
      std::upper_bound(snapshot.segments.begin(), snapshot.segments.end(), first_row,
                       [](uint64_t row, const PlacedSegment& placed) { return row < placed.first_row; });
  const PlacedSegment& placed = *(after - 1);
  std::shared_ptr<const SparseSegment> segment = placed.segment;
  if (const uint64_t skipped = first_row - placed.first_row; skipped != 0) {
    // Rows that were saved before have been merged with later ones since: the file holds the later ones.
    std::vector<uint32_t> new_rows(segment->row_count, kNoRow);
    for (uint64_t row = skipped; row < segment->row_count; ++row)
      new_rows[row] = static_cast<uint32_t>(row - skipped);
    if (Status status = merge_segments(engine.pool, {{placed.segment, std::move(new_rows)}},
                                       placed.segment->row_count - skipped, threads, cancel, &segment);
        !status.ok())
      return status;
  }
  return SparseSegmentWriter(engine, *segment, saturating).write(path, threads, cancel, written);
}

Status open_sparse_segments(Engine& engine, bool saturating, const std::vector<SparseSegmentFile>& files,
                            unsigned threads, const CancelFlag& cancel,
                            std::vector<std::shared_ptr<const SparseSegment>>* segments) {
  for (const SparseSegmentFile& file : files) {
    std::shared_ptr<const SparseSegment> segment;
    if (Status status = SparseSegmentReader(engine, saturating, file).read(threads, cancel, &segment);
        !status.ok())
      return status;
    segments->push_back(std::move(segment));
  }
  return Status::success();
}

}  // namespace granule
