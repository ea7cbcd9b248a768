#include "backends/cuda/flat_search.h"

#include <algorithm>
#include <limits>
#include <memory>

#include "backends/coded_queries.h"
#include "backends/cuda/device_layout.h"
#include "backends/cuda/host_scores.h"
#include "backends/cuda/scan_stream.cuh"
#include "backends/cuda/scan_tiles.cuh"
#include "backends/cuda/score_rows.cuh"
#include "backends/cuda/select_threshold.cuh"
#include "backends/cuda/stored_number.h"
#include "core/canonical_dot.h"

// The same search as the CPU's (backends/cpu/certified_scan.cc): codes bound every row's score, and only rows
// whose upper bound reaches a score that k rows surely have are scored by the reference arithmetic. Kernels
// do not wait for each other's thresholds; a scan goes through ever larger shares of the rows, with the
// thresholds that the shares before it gave.

namespace granule::cuda {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
/// Candidates of a query beside those that a share of the rows brings on average.
constexpr uint32_t kLeastCapacity = 4096;
/// Tiles of the first share, of which every row is a candidate.
constexpr uint32_t kFirstTiles = 16;
/// How much larger each share is than those before it together.
constexpr uint32_t kGrowth = 8;
/// Device memory for candidates; it decides how many queries go at a time.
constexpr std::size_t kCandidateBytes = std::size_t{256} << 20;
constexpr uint32_t kMostQueries = 2048;
/// Queries up to which a scan is bound by memory.
constexpr uint32_t kStreamQueries = 8;
constexpr uint32_t kTwoPlaneQueries = 4;
/// Rows and queries of one round of the plain scan.
constexpr uint32_t kPlainRows = 1 << 16;
constexpr uint32_t kPlainQueries = 64;

class FlatSearch {
 public:
  FlatSearch(Device& device, const granule_search& search,
             const std::vector<const granule_segment*>& segments)
      : device_(device), search_(search), segments_(segments), work_(device.lease()) {
    uint32_t tiles = 0;
    for (const granule_segment* segment : segments_) {
      residents_.push_back(device.segments().ensure(search, *segment));
      views_.push_back(residents_.back()->view(*segment, tiles));
      const auto own = static_cast<uint32_t>(DeviceLayout::tiles(segment->row_count));
      segment_of_tile_.insert(segment_of_tile_.end(), own, static_cast<uint32_t>(views_.size() - 1));
      tiles += own;
      row_count_ += segment->row_count;
      in_range_ = in_range_ && residents_.back()->in_range;
    }
  }

  std::vector<QueryResult> run() {
    std::vector<QueryResult> results;
    results.reserve(search_.query_count);
    for (uint64_t q = 0; q < search_.query_count; ++q)
      results.push_back({RankedList(search_.k), -kInfinity, 0});
    if (row_count_ == 0) return results;
    work_->upload(views_.data(), views_.size(), &work_->segments);
    work_->upload(segment_of_tile_.data(), segment_of_tile_.size(), &work_->segment_of_tile);
    if (search_.filter != nullptr) work_->upload(search_.filter, (search_.row_count + 7) / 8, &work_->filter);
    // With k of this share of the rows nearly all are candidates.
    const bool coded = in_range_ && search_.k < row_count_ / 8;
    const uint32_t at_a_time = coded ? queries_at_a_time() : kPlainQueries;
    for (uint64_t first = 0; first < search_.query_count; first += at_a_time) {
      const auto count = static_cast<uint32_t>(std::min<uint64_t>(at_a_time, search_.query_count - first));
      if (coded) {
        scan(first, count, &results);
      } else {
        scan_plainly(first, count, &results);
      }
    }
    return results;
  }

 private:
  void stop_if_asked() const {
    if (search_.cancelled(search_.cancelled_context) != 0) throw Cancelled();
  }

  uint32_t first_tiles() const {
    return std::max<uint32_t>(kFirstTiles,
                              static_cast<uint32_t>(DeviceLayout::tiles(std::size_t{4} * search_.k)));
  }

  /// Room for the first share, all of whose rows are candidates, and for those of the later ones.
  uint32_t capacity() const {
    const uint64_t wanted =
        std::max<uint64_t>(kLeastCapacity, 2 * uint64_t{first_tiles()} * DeviceLayout::kTileRows) +
        16 * uint64_t{search_.k};
    return static_cast<uint32_t>(std::min<uint64_t>(wanted, row_count_ + DeviceLayout::kTileRows));
  }

  uint32_t queries_at_a_time() const {
    const std::size_t bytes = (2 * sizeof(Candidate) + sizeof(float)) * capacity();
    return static_cast<uint32_t>(std::clamp<std::size_t>(kCandidateBytes / bytes, 1, kMostQueries));
  }

  const float* query(uint64_t q) const { return search_.query_vectors + q * search_.dimension; }

  void upload_queries(uint64_t first, uint32_t count) {
    work_->upload(query(first), std::size_t{count} * search_.dimension, &work_->queries);
    if (static_cast<Metric>(search_.metric) != Metric::squared_l2) return;
    std::vector<double> norms(count);
    for (uint32_t q = 0; q < count; ++q)
      norms[q] = canonical_dot(query(first + q), query(first + q), search_.dimension);
    work_->upload(norms.data(), norms.size(), &work_->query_squared_norms);
  }

  ScoreArguments score_arguments(uint32_t count) const {
    const bool squared = static_cast<Metric>(search_.metric) == Metric::squared_l2;
    return {work_->segments.data(),
            static_cast<uint32_t>(views_.size()),
            work_->queries.data(),
            squared ? work_->query_squared_norms.data() : nullptr,
            count,
            search_.dimension,
            static_cast<Metric>(search_.metric),
            static_cast<Dtype>(search_.dtype)};
  }

  /// How the queries of a scan are coded.
  struct Plan {
    bool stream;
    unsigned planes;
    /// Queries of one launch.
    uint32_t queries;
  };

  Plan plan_for(uint32_t count) const {
    const std::size_t bytes = std::size_t{DeviceLayout::steps(search_.dimension)} * DeviceLayout::kStep;
    const auto fitting = static_cast<uint32_t>(device_.shared_memory_of_block() / bytes);
    if (count <= kStreamQueries && fitting >= 2 * kStreamQueries) {
      return {true, count <= kTwoPlaneQueries ? 2u : 1u, count};
    }
    if (count <= kStreamQueries && fitting >= 1) {
      // Long vectors: as many as shared memory holds, in powers of two as the kernel has them.
      const uint32_t at_a_time = fitting >= 8 ? 8 : fitting >= 4 ? 4 : 2;
      if (fitting >= 2) return {true, 1, std::min(count, at_a_time)};
    }
    return {false, 1, count};
  }

  /// Codes queries first to first + count and puts them on the device; those that codes do not serve get a
  /// threshold that no row reaches, and are listed.
  void upload_codes(uint64_t first, uint32_t count, const Plan& plan, std::vector<uint32_t>* unserved) {
    const auto metric = static_cast<Metric>(search_.metric);
    const CodedQueries coded(query(first), count, search_.dimension, metric, static_cast<int>(plan.planes));
    const unsigned steps = DeviceLayout::steps(search_.dimension);
    const std::size_t row_bytes = std::size_t{steps} * DeviceLayout::kStep;
    const std::size_t plane_bytes = coded.query_bytes / plan.planes;
    std::vector<int8_t> codes;
    if (plan.stream) {
      codes.assign(row_bytes * plan.planes * count, 0);
      for (std::size_t p = 0; p < std::size_t{count} * plan.planes; ++p)
        std::copy_n(coded.codes.data() + p * plane_bytes, plane_bytes, codes.data() + p * row_bytes);
    } else {
      const unsigned tile = scan_tiles_queries(count);
      codes.assign(DeviceLayout::tiles(count, tile) * DeviceLayout::tile_bytes(search_.dimension, tile), 0);
      for (uint32_t q = 0; q < count; ++q) {
        int8_t* const out = codes.data() + q / tile * DeviceLayout::tile_bytes(search_.dimension, tile);
        for (uint32_t i = 0; i < plane_bytes; i += 4) {
          std::copy_n(coded.codes_of(q) + i, 4, out + DeviceLayout::offset(q % tile, i, tile));
        }
      }
    }
    std::vector<ScanQuery> queries(count);
    std::vector<uint32_t> thresholds(count, 0);
    for (uint32_t q = 0; q < count; ++q) {
      const CodeQuery& from = coded.queries[q];
      queries[q] = {from.scale,       from.fine_scale, from.norm_factor, from.residual_factor,
                    from.bias_factor, from.shift,      from.slack};
      if (coded.usable[q] != 0) continue;
      thresholds[q] = 0xffffffffu;
      unserved->push_back(q);
    }
    work_->upload(codes.data(), codes.size(), &work_->query_codes);
    work_->upload(queries.data(), queries.size(), &work_->scan_queries);
    work_->upload(thresholds.data(), thresholds.size(), &work_->thresholds);
  }

  void scan(uint64_t first, uint32_t count, std::vector<QueryResult>* results) {
    stop_if_asked();
    const Plan plan = plan_for(count);
    std::vector<uint32_t> unserved;
    upload_queries(first, count);
    upload_codes(first, count, plan, &unserved);
    const uint32_t room = capacity();
    for (int i = 0; i < 2; ++i) {
      work_->counts[i].grow_to(count, work_->memory_stream);
      work_->candidates[i].grow_to(std::size_t{count} * room, work_->memory_stream);
    }
    const auto tiles = static_cast<uint32_t>(segment_of_tile_.size());
    clear_counts(0, count);
    int from = 0;
    for (uint32_t begin = 0; begin < tiles;) {
      stop_if_asked();
      const uint32_t end = static_cast<uint32_t>(
          std::min<uint64_t>(tiles, begin == 0 ? first_tiles() : uint64_t{begin} * kGrowth));
      scan_tiles(plan, begin, end, count, lists(from, room));
      from = select(from, room, count);
      begin = end;
    }
    const uint32_t* counts = work_->download(work_->counts[from].data(), count);
    work_->stream.wait();
    std::vector<uint32_t> lost = lost_among(counts, count, room);
    if (!lost.empty()) {
      // The thresholds are good by now: few rows reach them.
      clear_counts(0, count);
      scan_tiles(plan, 0, tiles, count, lists(0, room));
      from = select(0, room, count);
      counts = work_->download(work_->counts[from].data(), count);
      work_->stream.wait();
      lost = lost_among(counts, count, room);
    }
    finish(first, count, from, room, counts, results);
    lost.insert(lost.end(), unserved.begin(), unserved.end());
    for (const uint32_t q : lost) {
      (*results)[first + q] = {RankedList(search_.k), -kInfinity, 0};
      scan_plainly(first + q, 1, results);
    }
  }

  CandidateLists lists(int which, uint32_t room) const {
    return {work_->candidates[which].data(), work_->counts[which].data(), room};
  }

  void clear_counts(int which, uint32_t count) {
    check(cudaMemsetAsync(work_->counts[which].data(), 0, count * sizeof(uint32_t), work_->stream),
          "the device failed");
  }

  /// @return where the candidates are then
  int select(int from, uint32_t room, uint32_t count) {
    clear_counts(1 - from, count);
    check(launch_select_candidates(lists(from, room), lists(1 - from, room), work_->thresholds.data(),
                                   search_.k, count, work_->stream),
          "the selection of candidates failed");
    return 1 - from;
  }

  void scan_tiles(const Plan& plan, uint32_t begin, uint32_t end, uint32_t count, const CandidateLists& out) {
    const unsigned steps = DeviceLayout::steps(search_.dimension);
    ScanArguments scan{work_->segments.data(),
                       work_->segment_of_tile.data(),
                       begin,
                       end,
                       steps,
                       work_->query_codes.data(),
                       work_->scan_queries.data(),
                       count,
                       work_->thresholds.data(),
                       search_.filter != nullptr ? work_->filter.data() : nullptr,
                       out};
    if (!plan.stream) {
      check(device_.batch_scan().launch(scan, work_->stream), "the scan failed");
      return;
    }
    for (uint32_t q = 0; q < count; q += plan.queries) {
      ScanArguments part = scan;
      part.query_count = std::min(plan.queries, count - q);
      part.query_codes += std::size_t{q} * plan.planes * steps * DeviceLayout::kStep;
      part.queries += q;
      part.thresholds += q;
      part.lists.candidates += std::size_t{q} * out.capacity;
      part.lists.counts += q;
      const unsigned blocks = std::min(scan_stream_blocks(device_.multiprocessors()), end - begin);
      check(launch_scan_stream(part, plan.planes, blocks, work_->stream), "the scan failed");
    }
  }

  static std::vector<uint32_t> lost_among(const uint32_t* counts, uint32_t count, uint32_t room) {
    std::vector<uint32_t> out;
    for (uint32_t q = 0; q < count; ++q) {
      if (counts[q] > room) out.push_back(q);
    }
    return out;
  }

  /// Scores the candidates that reach the thresholds and ranks them.
  void finish(uint64_t first, uint32_t count, int from, uint32_t room, const uint32_t* counts,
              std::vector<QueryResult>* results) {
    stop_if_asked();
    uint32_t most = 0;
    for (uint32_t q = 0; q < count; ++q) most = std::max(most, std::min(counts[q], room));
    const uint32_t* thresholds = work_->download(work_->thresholds.data(), count);
    if (most == 0) {
      work_->stream.wait();
    }
    const float* scores = nullptr;
    const Candidate* candidates = nullptr;
    if (most != 0) {
      work_->scores.grow_to(std::size_t{count} * room, work_->memory_stream);
      check(launch_score_candidates(score_arguments(count), lists(from, room), work_->thresholds.data(), most,
                                    work_->scores.data(), work_->stream),
            "scoring on the device failed");
      scores = download_columns(work_->scores.data(), count, room, most);
      candidates = download_columns(work_->candidates[from].data(), count, room, most);
      work_->stream.wait();
    }
    for (uint32_t q = 0; q < count; ++q) {
      if (counts[q] > room || thresholds[q] == 0xffffffffu) continue;
      QueryResult& result = (*results)[first + q];
      result.threshold = std::max(result.threshold, float_of_bits(bits_of_key(thresholds[q])));
      for (uint32_t i = 0; i < counts[q]; ++i) {
        const Candidate& candidate = candidates[std::size_t{q} * most + i];
        if (ordered_key(bits_of_float(candidate.upper)) < thresholds[q]) continue;
        const uint32_t segment = segment_with(candidate.row);
        float score = scores[std::size_t{q} * most + i];
        if (residents_[segment]->vectors.size() == 0)
          score = host_score(search_, *segments_[segment], candidate.row, query(first + q));
        result.best.offer(score, candidate.row);
        ++result.rows_rescored;
      }
      result.threshold = std::max(result.threshold, result.best.threshold());
    }
  }

  /// The first `width` of each query's `stride` elements.
  template <typename T>
  const T* download_columns(const T* from, uint32_t count, uint32_t stride, uint32_t width) {
    T* const out = work_->pinned.take<T>(std::size_t{count} * width);
    check(cudaMemcpy2DAsync(out, width * sizeof(T), from, stride * sizeof(T), width * sizeof(T), count,
                            cudaMemcpyDeviceToHost, work_->stream),
          "a copy from the device failed");
    return out;
  }

  uint32_t segment_with(uint32_t row) const {
    const auto after =
        std::upper_bound(segments_.begin(), segments_.end(), row,
                         [](uint32_t r, const granule_segment* segment) { return r < segment->first_row; });
    return static_cast<uint32_t>(after - segments_.begin()) - 1;
  }

  /// Scores every row.
  void scan_plainly(uint64_t first, uint32_t count, std::vector<QueryResult>* results) {
    upload_queries(first, count);
    for (uint32_t s = 0; s < segments_.size(); ++s) {
      const granule_segment& segment = *segments_[s];
      const bool on_device = residents_[s]->vectors.size() != 0;
      for (uint64_t begin = 0; begin < segment.row_count; begin += kPlainRows) {
        stop_if_asked();
        const auto rows = static_cast<uint32_t>(std::min<uint64_t>(kPlainRows, segment.row_count - begin));
        const auto first_row = static_cast<uint32_t>(segment.first_row + begin);
        const float* scores = nullptr;
        if (on_device) {
          work_->scores.grow_to(std::size_t{count} * rows, work_->memory_stream);
          check(launch_score_range(score_arguments(count), s, first_row, first_row + rows,
                                   search_.filter != nullptr ? work_->filter.data() : nullptr,
                                   work_->scores.data(), rows, work_->stream),
                "scoring on the device failed");
          scores = work_->download(work_->scores.data(), std::size_t{count} * rows);
          work_->stream.wait();
        }
        for (uint32_t q = 0; q < count; ++q) {
          QueryResult& result = (*results)[first + q];
          for (uint32_t r = 0; r < rows; ++r) {
            if (!is_allowed(search_.filter, first_row + r)) continue;
            const float score = on_device ? scores[std::size_t{q} * rows + r]
                                          : host_score(search_, segment, first_row + r, query(first + q));
            if (score >= result.best.threshold()) result.best.offer(score, first_row + r);
          }
        }
        work_->stream.wait();
        work_->pinned.reset();
      }
    }
    for (uint32_t q = 0; q < count; ++q) {
      (*results)[first + q].threshold = -kInfinity;
      (*results)[first + q].rows_rescored = row_count_;
    }
  }

  Device& device_;
  const granule_search& search_;
  const std::vector<const granule_segment*>& segments_;
  const Device::Lease work_;
  std::vector<std::shared_ptr<const ResidentSegment>> residents_;
  std::vector<SegmentView> views_;
  std::vector<uint32_t> segment_of_tile_;
  uint64_t row_count_ = 0;
  bool in_range_ = true;
};

}  // namespace

std::vector<QueryResult> search_rows(Device& device, const granule_search& search,
                                     const std::vector<const granule_segment*>& segments) {
  device.use();
  return FlatSearch(device, search, segments).run();
}

}  // namespace granule::cuda
