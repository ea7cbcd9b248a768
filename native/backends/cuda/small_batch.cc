#include "backends/cuda/small_batch.h"

#include <algorithm>
#include <cstring>

#include "backends/cuda/device_layout.h"
#include "backends/cuda/query_codes.h"
#include "backends/cuda/scan_shares.h"
#include "backends/cuda/select_threshold.cuh"
#include "backends/cuda/stored_number.h"

namespace granule::cuda {
namespace {

/// Larger results would make the copy back long.
constexpr uint32_t kMostPlaces = 1024;
/// Survivors that there is room for: this many for each place of the result, and these. Most searches have
/// some tens.
constexpr uint32_t kSurvivorsPerPlace = 4;
constexpr uint32_t kLeastSurvivors = 256;

/// Places of arrays in one block of memory.
class Layout {
 public:
  template <typename T>
  std::size_t add(std::size_t count) {
    const std::size_t at = bytes_;
    bytes_ = (at + count * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
    return at;
  }
  std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t kAlignment = 256;
  std::size_t bytes_ = 0;
};

class SmallBatch {
 public:
  SmallBatch(RowSearch& search, uint64_t first, uint32_t count, const ScanPlan& plan)
      : search_(search),
        request_(search.request()),
        work_(search.work()),
        first_(first),
        count_(count),
        plan_(plan),
        shares_(scan_shares(search.tables().tiles(), request_.k)),
        room_(candidate_capacity(request_.k, search.tables().row_count)),
        kept_(std::min(room_, kSurvivorsPerPlace * request_.k + kLeastSurvivors)),
        coded_(search.query(first), count, request_.dimension, static_cast<Metric>(request_.metric), plan) {
    queries_at_ = sent_.add<float>(std::size_t{count} * request_.dimension);
    norms_at_ = sent_.add<double>(search.query_squared_norms().empty() ? 0 : count);
    codes_at_ = sent_.add<int8_t>(coded_.codes.size());
    scan_queries_at_ = sent_.add<ScanQuery>(count);
    thresholds_at_ = sent_.add<uint32_t>(count);
    // A count of candidates for each query before each share and after the last.
    counts_at_ = sent_.add<uint32_t>((shares_.size() + 1) * count);
    filter_at_ = sent_.add<uint8_t>(search.filter_bytes());
    found_counts_at_ = returned_.add<uint32_t>(count);
    found_thresholds_at_ = returned_.add<uint32_t>(count);
    survivors_at_ = returned_.add<Survivor>(std::size_t{count} * kept_);
  }

  std::vector<uint64_t> run(std::vector<QueryResult>* results) {
    work_.sent.grow_to(sent_.bytes());
    work_.received.grow_to(sent_.bytes(), work_.memory_stream);
    work_.found.grow_to(returned_.bytes(), work_.memory_stream);
    work_.returned.grow_to(returned_.bytes());
    for (DeviceArray<Candidate>& candidates : work_.candidates)
      candidates.grow_to(std::size_t{count_} * room_, work_.memory_stream);
    write_queries();
    const std::vector<std::vector<Step>> parts = divide();
    std::vector<Graph>* const graphs = work_.graphs.find(search_.shared_tables(), shape());
    for (std::size_t p = 0; p < parts.size(); ++p) {
      search_.stop_if_asked();
      const auto put = [&] { put_part(parts[p], p == 0, p + 1 == parts.size()); };
      if (graphs == nullptr) {
        put();
      } else {
        Graph& graph = (*graphs)[p];
        if (!graph.captured()) graph.capture(work_.stream, put);
        graph.launch(work_.stream);
      }
      work_.stream.wait();
    }
    if (graphs == nullptr) work_.graphs.add(search_.shared_tables(), shape(), parts.size());
    return collect(results);
  }

 private:
  /// Some tiles of a share.
  struct Step {
    TileRange tiles;
    std::size_t share;
    /// Whether they are the share's last.
    bool ends_share;
  };

  template <typename T>
  T* sent_to(std::size_t at) const {
    return reinterpret_cast<T*>(work_.received.data() + at);
  }

  void write_queries() {
    unsigned char* const out = work_.sent.data();
    const auto write = [out]<typename T>(std::size_t at, const T* from, std::size_t count) {
      if (count != 0) std::memcpy(out + at, from, count * sizeof(T));
    };
    write(queries_at_, search_.query(first_), std::size_t{count_} * request_.dimension);
    if (!search_.query_squared_norms().empty())
      write(norms_at_, search_.query_squared_norms().data() + first_, count_);
    write(codes_at_, coded_.codes.data(), coded_.codes.size());
    write(scan_queries_at_, coded_.queries.data(), count_);
    write(thresholds_at_, coded_.thresholds.data(), count_);
    std::memset(out + counts_at_, 0, (shares_.size() + 1) * count_ * sizeof(uint32_t));
    write(filter_at_, request_.filter, search_.filter_bytes());
  }

  /// Steps that are put on the stream together: as much as may run before the search looks whether it is to
  /// stop.
  std::vector<std::vector<Step>> divide() const {
    const uint64_t tile_bytes = DeviceLayout::tile_bytes(request_.dimension);
    const auto most = static_cast<uint32_t>(std::clamp<uint64_t>(
        search_.device().bytes_between_looks() / tile_bytes, 1, search_.tables().tiles()));
    std::vector<std::vector<Step>> out(1);
    uint32_t left = most;
    for (std::size_t share = 0; share < shares_.size(); ++share) {
      for (uint32_t begin = shares_[share].begin; begin < shares_[share].end;) {
        if (left == 0) {
          out.emplace_back();
          left = most;
        }
        const uint32_t end = begin + std::min(left, shares_[share].end - begin);
        out.back().push_back({{begin, end}, share, end == shares_[share].end});
        left -= end - begin;
        begin = end;
      }
    }
    return out;
  }

  ScanShape shape() const {
    return {count_,
            request_.k,
            plan_.planes,
            request_.filter != nullptr,
            sent_.bytes(),
            work_.sent.data(),
            work_.received.data(),
            {work_.candidates[0].data(), work_.candidates[1].data()},
            work_.found.data(),
            work_.returned.data()};
  }

  CandidateLists lists(std::size_t share) const {
    return {work_.candidates[share % 2].data(), sent_to<uint32_t>(counts_at_) + share * count_, room_};
  }

  void put_part(const std::vector<Step>& steps, bool is_first, bool is_last) {
    cudaStream_t const stream = work_.stream;
    if (is_first) {
      check(cudaMemcpyAsync(work_.received.data(), work_.sent.data(), sent_.bytes(), cudaMemcpyHostToDevice,
                            stream),
            "a copy to the device failed");
    }
    uint32_t* const thresholds = sent_to<uint32_t>(thresholds_at_);
    const SnapshotTables& tables = search_.tables();
    for (const Step& step : steps) {
      const ScanArguments scan{tables.segments.data(),
                               tables.segment_of_tile.data(),
                               step.tiles.begin,
                               step.tiles.end,
                               DeviceLayout::steps(request_.dimension),
                               sent_to<int8_t>(codes_at_),
                               sent_to<ScanQuery>(scan_queries_at_),
                               count_,
                               thresholds,
                               request_.filter != nullptr ? sent_to<uint8_t>(filter_at_) : nullptr,
                               lists(step.share)};
      stream_tiles(scan, plan_, search_.device().multiprocessors(), stream);
      if (!step.ends_share) continue;
      check(launch_select_candidates(lists(step.share), lists(step.share + 1), thresholds, request_.k, count_,
                                     stream),
            "the selection of candidates failed");
    }
    if (!is_last) return;
    const ScoreArguments score{tables.segments.data(),
                               tables.segment_count(),
                               sent_to<float>(queries_at_),
                               search_.query_squared_norms().empty() ? nullptr : sent_to<double>(norms_at_),
                               count_,
                               request_.dimension,
                               static_cast<Metric>(request_.metric),
                               static_cast<Dtype>(request_.dtype)};
    unsigned char* const found = work_.found.data();
    const SurvivorLists out{reinterpret_cast<uint32_t*>(found + found_counts_at_),
                            reinterpret_cast<uint32_t*>(found + found_thresholds_at_),
                            reinterpret_cast<Survivor*>(found + survivors_at_), kept_};
    check(launch_score_survivors(score, lists(shares_.size()), thresholds, out, stream),
          "scoring on the device failed");
    check(cudaMemcpyAsync(work_.returned.data(), found, returned_.bytes(), cudaMemcpyDeviceToHost, stream),
          "a copy from the device failed");
  }

  std::vector<uint64_t> collect(std::vector<QueryResult>* results) {
    const unsigned char* const returned = work_.returned.data();
    const auto* const counts = reinterpret_cast<const uint32_t*>(returned + found_counts_at_);
    const auto* const thresholds = reinterpret_cast<const uint32_t*>(returned + found_thresholds_at_);
    const auto* const survivors = reinterpret_cast<const Survivor*>(returned + survivors_at_);
    std::vector<uint64_t> unanswered;
    std::vector<HostRow> on_host;
    for (uint32_t q = 0; q < count_; ++q) {
      if (counts[q] > kept_ || thresholds[q] == kUnreached) {
        unanswered.push_back(first_ + q);
        continue;
      }
      QueryResult& result = (*results)[first_ + q];
      result.threshold = std::max(result.threshold, float_of_bits(bits_of_key(thresholds[q])));
      for (uint32_t i = 0; i < counts[q]; ++i) {
        const Survivor& survivor = survivors[std::size_t{q} * kept_ + i];
        ++result.rows_rescored;
        if (search_.tables().has_vectors || search_.on_device(search_.segment_with(survivor.row))) {
          result.best.offer(survivor.score, survivor.row);
        } else {
          on_host.push_back(search_.host_row(survivor.row, first_ + q));
        }
      }
    }
    score_on_host(request_, &on_host);
    for (const HostRow& row : on_host) (*results)[row.query].best.offer(row.score, row.row);
    for (uint32_t q = 0; q < count_; ++q) {
      QueryResult& result = (*results)[first_ + q];
      result.threshold = std::max(result.threshold, result.best.threshold());
    }
    return unanswered;
  }

  RowSearch& search_;
  const granule_search& request_;
  Workspace& work_;
  const uint64_t first_;
  const uint32_t count_;
  const ScanPlan plan_;
  const std::vector<TileRange> shares_;
  /// Candidates of a query.
  const uint32_t room_;
  /// Survivors of a query.
  const uint32_t kept_;
  const QueryCodes coded_;
  Layout sent_;
  std::size_t queries_at_;
  std::size_t norms_at_;
  std::size_t codes_at_;
  std::size_t scan_queries_at_;
  std::size_t thresholds_at_;
  std::size_t counts_at_;
  std::size_t filter_at_;
  Layout returned_;
  std::size_t found_counts_at_;
  std::size_t found_thresholds_at_;
  std::size_t survivors_at_;
};

ScanPlan plan_for(const RowSearch& search, uint32_t count) {
  return plan_scan(count, search.request().dimension, search.device().shared_memory_of_block());
}

}  // namespace

bool is_small_batch(const RowSearch& search, uint32_t count) {
  return search.request().k <= kMostPlaces && plan_for(search, count).stream;
}

std::vector<uint64_t> scan_small_batch(RowSearch& search, uint64_t first, uint32_t count,
                                       std::vector<QueryResult>* results) {
  return SmallBatch(search, first, count, plan_for(search, count)).run(results);
}

}  // namespace granule::cuda
