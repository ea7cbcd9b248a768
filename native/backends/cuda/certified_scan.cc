#include "backends/cuda/certified_scan.h"

#include <algorithm>

#include "backends/cuda/device_layout.h"
#include "backends/cuda/plain_scan.h"
#include "backends/cuda/query_codes.h"
#include "backends/cuda/scan_shares.h"
#include "backends/cuda/select_threshold.cuh"
#include "backends/cuda/stored_number.h"

namespace granule::cuda {
namespace {

/// Device memory for candidates; it decides how many queries go at a time.
constexpr std::size_t kCandidateBytes = std::size_t{256} << 20;
constexpr uint32_t kMostQueries = 2048;

/// A certified scan of some queries.
class CertifiedScan {
 public:
  CertifiedScan(RowSearch& search, uint64_t first, uint32_t count, std::vector<QueryResult>* results)
      : search_(search),
        work_(search.work()),
        first_(first),
        count_(count),
        k_(search.request().k),
        room_(candidate_capacity(k_, search.tables().row_count)),
        plan_(plan_scan(count, search.request().dimension, search.device().shared_memory_of_block())),
        results_(results) {}

  void run() {
    const granule_search& request = search_.request();
    search_.stop_if_asked();
    const QueryCodes coded(search_.query(first_), count_, request.dimension,
                           static_cast<Metric>(request.metric), plan_);
    search_.upload_queries(first_, count_);
    work_.upload(coded.codes.data(), coded.codes.size(), &work_.query_codes);
    work_.upload(coded.queries.data(), coded.queries.size(), &work_.scan_queries);
    work_.upload(coded.thresholds.data(), coded.thresholds.size(), &work_.thresholds);
    for (int i = 0; i < 2; ++i) {
      work_.counts[i].grow_to(count_, work_.memory_stream);
      work_.candidates[i].grow_to(std::size_t{count_} * room_, work_.memory_stream);
    }
    clear_counts(0);
    int from = 0;
    for (const TileRange& share : scan_shares(search_.tables().tiles(), k_)) {
      search_.stop_if_asked();
      scan_tiles(share, from);
      from = select(from);
    }
    const uint32_t* counts = work_.download(work_.counts[from].data(), count_);
    work_.stream.wait();
    std::vector<uint32_t> lost = lost_among(counts);
    if (!lost.empty()) {
      // The thresholds are good by now: few rows reach them.
      clear_counts(0);
      scan_tiles({0, search_.tables().tiles()}, 0);
      from = select(0);
      counts = work_.download(work_.counts[from].data(), count_);
      work_.stream.wait();
      lost = lost_among(counts);
    }
    finish(from, counts);
    lost.insert(lost.end(), coded.unserved.begin(), coded.unserved.end());
    for (const uint32_t q : lost) {
      (*results_)[first_ + q] = empty_result(k_);
      scan_plainly(search_, first_ + q, 1, results_);
    }
  }

 private:
  CandidateLists lists(int which) const {
    return {work_.candidates[which].data(), work_.counts[which].data(), room_};
  }

  void clear_counts(int which) {
    check(cudaMemsetAsync(work_.counts[which].data(), 0, count_ * sizeof(uint32_t), work_.stream),
          "the device failed");
  }

  /// @return where the candidates are then
  int select(int from) {
    clear_counts(1 - from);
    check(launch_select_candidates(lists(from), lists(1 - from), work_.thresholds.data(), k_, count_,
                                   work_.stream),
          "the selection of candidates failed");
    return 1 - from;
  }

  void scan_tiles(const TileRange& tiles, int to) {
    const ScanArguments scan{search_.tables().segments.data(),
                             search_.tables().segment_of_tile.data(),
                             tiles.begin,
                             tiles.end,
                             DeviceLayout::steps(search_.request().dimension),
                             work_.query_codes.data(),
                             work_.scan_queries.data(),
                             count_,
                             work_.thresholds.data(),
                             search_.filter(),
                             lists(to)};
    if (plan_.stream) {
      stream_tiles(scan, plan_, search_.device().multiprocessors(), work_.stream);
    } else {
      check(search_.device().batch_scan().launch(scan, work_.stream), "the scan failed");
    }
  }

  std::vector<uint32_t> lost_among(const uint32_t* counts) const {
    std::vector<uint32_t> out;
    for (uint32_t q = 0; q < count_; ++q) {
      if (counts[q] > room_) out.push_back(q);
    }
    return out;
  }

  /// Scores the candidates that reach the thresholds and ranks them.
  void finish(int from, const uint32_t* counts) {
    search_.stop_if_asked();
    uint32_t most = 0;
    for (uint32_t q = 0; q < count_; ++q) most = std::max(most, std::min(counts[q], room_));
    const uint32_t* thresholds = work_.download(work_.thresholds.data(), count_);
    if (most == 0) {
      work_.stream.wait();
    }
    const float* scores = nullptr;
    const Candidate* candidates = nullptr;
    if (most != 0) {
      work_.scores.grow_to(std::size_t{count_} * room_, work_.memory_stream);
      check(launch_score_candidates(search_.score_arguments(count_), lists(from), work_.thresholds.data(),
                                    most, work_.scores.data(), work_.stream),
            "scoring on the device failed");
      scores = download_columns(work_.scores.data(), most);
      candidates = download_columns(work_.candidates[from].data(), most);
      work_.stream.wait();
    }
    for (uint32_t q = 0; q < count_; ++q) {
      if (counts[q] > room_ || thresholds[q] == kUnreached) continue;
      QueryResult& result = (*results_)[first_ + q];
      result.threshold = std::max(result.threshold, float_of_bits(bits_of_key(thresholds[q])));
      std::vector<HostRow> on_host;
      for (uint32_t i = 0; i < counts[q]; ++i) {
        const Candidate& candidate = candidates[std::size_t{q} * most + i];
        if (ordered_key(bits_of_float(candidate.upper)) < thresholds[q]) continue;
        ++result.rows_rescored;
        if (search_.on_device(search_.segment_with(candidate.row))) {
          result.best.offer(scores[std::size_t{q} * most + i], candidate.row);
        } else {
          on_host.push_back(search_.host_row(candidate.row, first_ + q));
        }
      }
      score_on_host(search_.request(), &on_host);
      for (const HostRow& row : on_host) result.best.offer(row.score, row.row);
      result.threshold = std::max(result.threshold, result.best.threshold());
    }
  }

  /// The first `width` of each query's `room_` elements.
  template <typename T>
  const T* download_columns(const T* from, uint32_t width) {
    T* const out = work_.pinned.take<T>(std::size_t{count_} * width);
    check(cudaMemcpy2DAsync(out, width * sizeof(T), from, room_ * sizeof(T), width * sizeof(T), count_,
                            cudaMemcpyDeviceToHost, work_.stream),
          "a copy from the device failed");
    return out;
  }

  RowSearch& search_;
  Workspace& work_;
  const uint64_t first_;
  const uint32_t count_;
  const uint32_t k_;
  /// Candidates of a query.
  const uint32_t room_;
  const ScanPlan plan_;
  std::vector<QueryResult>* const results_;
};

}  // namespace

uint32_t certified_queries_at_a_time(const RowSearch& search) {
  const std::size_t bytes = (2 * sizeof(Candidate) + sizeof(float)) *
                            candidate_capacity(search.request().k, search.tables().row_count);
  return static_cast<uint32_t>(std::clamp<std::size_t>(kCandidateBytes / bytes, 1, kMostQueries));
}

void scan_certified(RowSearch& search, uint64_t first, uint32_t count, std::vector<QueryResult>* results) {
  CertifiedScan(search, first, count, results).run();
}

}  // namespace granule::cuda
