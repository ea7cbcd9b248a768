#include <algorithm>
#include <atomic>
#include <cstddef>
#include <limits>
#include <memory>
#include <mutex>
#include <vector>

#include "backends/coded_queries.h"
#include "backends/cpu/cpu_backend.h"
#include "backends/cpu/exact_rows.h"
#include "backends/cpu/scan_units.h"
#include "backends/cpu/stored_rows.h"
#include "backends/cpu/widened_queries.h"
#include "core/code_layout.h"
#include "core/ranked_list.h"
#include "core/score.h"

// Exact search from int8 codes. Each row gets an interval that holds its score; theta is a score that k rows
// reach: first the k-th largest lower bound, then, as rows are scored, the k-th best score. Rows whose upper
// bound reaches theta are scored by the reference arithmetic, and the k best of those are the answer. A row
// that is left out scores strictly less than k others: its score, rounded, is at most its upper bound, and
// theirs are at least theta.

namespace granule {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
/// Queries up to which a scan is bound by memory, so that a second plane of their codes costs nothing.
constexpr std::size_t kTwoPlaneQueries = 2;
/// Queries that share one pass over the codes, and bytes of their codes: they stay in the second-level cache.
constexpr std::size_t kQueryGroup = 512;
constexpr std::size_t kQueryGroupBytes = std::size_t{3} << 17;
/// Bytes of codes of one kernel call: they stay in the second-level cache while the group's queries pass over
/// them.
constexpr std::size_t kTileBytes = std::size_t{1} << 17;
constexpr std::size_t kMostTileBlocks = 48;
/// Survivors of one query that are kept before those below the threshold are dropped.
constexpr std::size_t kPruneAt = 4096;

/// Bytes of a row that are fetched ahead; the processor sees by itself how a longer one goes on.
constexpr std::size_t kPrefetchBytes = 4096;

struct Survivor {
  uint32_t row;
  float upper;
};

/// What all threads know of one query. They share the list: with one each, every thread would keep the rows
/// that its own share of them lets survive.
struct Known {
  std::mutex mutex;
  /// The k largest lower bounds.
  RankedList lowers;
  /// The k-th of them; infinite once codes do not serve the query. Raised with the lock held.
  std::atomic<float> threshold{-kInfinity};
};

/// What one slot of threads has found for one query.
struct Found {
  explicit Found(std::size_t k) : exact(k) {}

  /// Rows that were scored exactly because they have no codes.
  RankedList exact;
  /// Rows ascending.
  std::vector<Survivor> survivors;
  std::size_t prune_at = kPruneAt;
};

/// What one slot of threads works with.
struct Worker {
  /// One per query.
  std::vector<Found> found;
  std::vector<float> thresholds;
  std::unique_ptr<CodeSurvivor[]> survivors;
  AlignedBuffer<double> exact_tile;
  AlignedBuffer<float> scratch;
};

class CertifiedScan {
 public:
  CertifiedScan(const CpuBackend& backend, const granule_search& search)
      : backend_(backend),
        search_(search),
        widened_(search.query_vectors, search.query_count, search.dimension,
                 static_cast<Metric>(search.metric)),
        planes_(search.query_count <= kTwoPlaneQueries ? 2 : 1),
        coded_(search.query_vectors, search.query_count, search.dimension, static_cast<Metric>(search.metric),
               planes_),
        query_group_(std::min<std::size_t>(
            search.query_count,
            std::clamp<std::size_t>(kQueryGroupBytes / coded_.query_bytes / 8 * 8, 8, kQueryGroup))),
        tile_blocks_(std::clamp<std::size_t>(
            kTileBytes / CodeLayout::block_bytes(search.dimension) / kBlocksSideBySide * kBlocksSideBySide,
            kBlocksSideBySide, kMostTileBlocks)),
        units_(divide_into_units(search, query_group_)),
        // Beyond this share of the rows the plain scan is cheaper than rescoring.
        most_survivors_(std::max<std::size_t>(kPruneAt, search.row_count / 16)),
        known_(search.query_count),
        workers_(search.threads) {
    for (std::size_t q = 0; q < search.query_count; ++q) {
      known_[q].lowers = RankedList(search.k);
      if (coded_.usable[q] == 0) known_[q].threshold.store(kInfinity, std::memory_order_relaxed);
    }
  }

  granule_result run(granule_hits& hits) {
    const std::size_t query_groups = (search_.query_count + query_group_ - 1) / query_group_;
    backend_.pool.parallel_for_slots(
        query_groups * units_.size(), search_.threads, [&](std::size_t task, std::size_t slot) {
          scan(units_[task % units_.size()], task / units_.size() * query_group_, workers_[slot]);
        });
    if (stopped_.load()) return GRANULE_CANCELLED;

    std::vector<uint32_t> unfinished(search_.query_count, 0);
    backend_.pool.parallel_for(search_.query_count, search_.threads,
                               [&](std::size_t q) { unfinished[q] = rescore(q, hits) ? 0 : 1; });
    return finish_plainly(unfinished, hits);
  }

 private:
  bool stop_asked() {
    if (stopped_.load(std::memory_order_relaxed)) return true;
    if (search_.cancelled(search_.cancelled_context) == 0) return false;
    stopped_.store(true, std::memory_order_relaxed);
    return true;
  }

  /// One group of queries over one unit of rows.
  void scan(const ScanUnit& unit, std::size_t first_query, Worker& worker) {
    const std::size_t count = std::min(query_group_, search_.query_count - first_query);
    if (worker.found.empty()) {
      worker.found.assign(search_.query_count, Found(search_.k));
      worker.thresholds.resize(query_group_);
      worker.survivors.reset(new CodeSurvivor[query_group_ * tile_blocks_ * CodeLayout::kBlockRows]);
      worker.exact_tile = AlignedBuffer<double>(query_group_ * kExactRowTile);
      worker.scratch = AlignedBuffer<float>(scratch_size(search_, kExactRowTile));
    }
    if (!unit.coded) {
      if (!stop_asked()) scan_exactly(unit, first_query, count, worker);
      return;
    }
    const std::size_t begin = unit.begin / CodeLayout::kBlockRows;
    const std::size_t end = unit.end / CodeLayout::kBlockRows;
    // While nothing is known every row survives: small tiles first.
    const bool known = threshold_of(first_query) != -kInfinity;
    for (std::size_t b = begin; b < end;) {
      if (stop_asked()) return;
      const std::size_t most = known ? tile_blocks_ : std::min(tile_blocks_, b - begin + kBlocksSideBySide);
      const std::size_t tile_end = std::min(end, b + most);
      scan_allowed_blocks(*unit.segment, b, tile_end, first_query, count, worker);
      b = tile_end;
    }
  }

  /// Leaves out blocks in which the filter allows no row.
  void scan_allowed_blocks(const granule_segment& segment, std::size_t begin, std::size_t end,
                           std::size_t first_query, std::size_t count, Worker& worker) {
    if (search_.filter == nullptr) {
      scan_codes(segment, begin, end, first_query, count, worker);
      return;
    }
    while (begin < end) {
      while (begin < end && !any_allowed(search_.filter, segment.first_row + begin * CodeLayout::kBlockRows,
                                         CodeLayout::kBlockRows)) {
        ++begin;
      }
      std::size_t run = begin;
      while (run < end && any_allowed(search_.filter, segment.first_row + run * CodeLayout::kBlockRows,
                                      CodeLayout::kBlockRows)) {
        ++run;
      }
      if (begin < run) scan_codes(segment, begin, run, first_query, count, worker);
      begin = run;
    }
  }

  void scan_codes(const granule_segment& segment, std::size_t begin, std::size_t end, std::size_t first_query,
                  std::size_t count, Worker& worker) {
    const std::size_t row = begin * CodeLayout::kBlockRows;
    const CodeBlocks blocks{segment.codes + begin * CodeLayout::block_bytes(search_.dimension),
                            segment.scales + row,
                            segment.residual_norms + row,
                            segment.code_norms + row,
                            segment.biases != nullptr ? segment.biases + row : nullptr,
                            CodeLayout::groups(search_.dimension)};
    for (std::size_t q = 0; q < count; ++q) worker.thresholds[q] = threshold_of(first_query + q);
    const auto& kernel = planes_ == 2 ? backend_.kernels.code_scan_two_planes : backend_.kernels.code_scan;
    const std::size_t survivors =
        kernel(blocks, end - begin, coded_.codes_of(first_query), coded_.queries.data() + first_query, count,
               static_cast<const float*>(worker.thresholds.data()), worker.survivors.get());
    for (std::size_t i = 0; i < survivors; ++i)
      take(worker.survivors[i], segment.first_row + row, first_query, worker);
  }

  void take(const CodeSurvivor& survivor, uint64_t first_row, std::size_t first_query, Worker& worker) {
    const uint64_t row = first_row + survivor.row;
    float& threshold = worker.thresholds[survivor.query];
    // The threshold may have risen since the kernel compared with it.
    if (!(survivor.upper >= threshold) || !allowed(search_.filter, row)) return;
    const std::size_t query = first_query + survivor.query;
    Found& found = worker.found[query];
    found.survivors.push_back({static_cast<uint32_t>(row), survivor.upper});
    if (survivor.lower > threshold) threshold = offer(query, survivor.lower, static_cast<uint32_t>(row));
    if (found.survivors.size() < found.prune_at) return;
    prune(&found.survivors, threshold);
    found.prune_at = std::max(kPruneAt, 2 * found.survivors.size());
    // An infinite threshold gives the query up: no scan keeps anything for it any more.
    if (found.survivors.size() > most_survivors_) threshold = give_up(query);
  }

  void scan_exactly(const ScanUnit& unit, std::size_t first_query, std::size_t count, Worker& worker) {
    std::vector<RankedList> lists(count, RankedList(search_.k));
    exact_rows(backend_, search_, widened_, first_query, count, *unit.segment, unit.begin, unit.end,
               worker.exact_tile.data(), worker.scratch.data(), lists.data());
    for (std::size_t q = 0; q < count; ++q) {
      worker.found[first_query + q].exact.merge(lists[q]);
      Known& known = known_[first_query + q];
      const std::lock_guard<std::mutex> lock(known.mutex);
      known.lowers.merge(lists[q]);
      raise(&known, known.lowers.threshold());
    }
  }

  float threshold_of(std::size_t query) const {
    return known_[query].threshold.load(std::memory_order_relaxed);
  }

  /// @return the threshold that a row's lower bound leaves
  float offer(std::size_t query, float lower, uint32_t row) {
    Known& known = known_[query];
    const std::lock_guard<std::mutex> lock(known.mutex);
    known.lowers.offer(lower, row);
    return raise(&known, known.lowers.threshold());
  }

  float give_up(std::size_t query) {
    const std::lock_guard<std::mutex> lock(known_[query].mutex);
    return raise(&known_[query], kInfinity);
  }

  /// With the lock held.
  static float raise(Known* known, float threshold) {
    const float raised = std::max(known->threshold.load(std::memory_order_relaxed), threshold);
    known->threshold.store(raised, std::memory_order_relaxed);
    return raised;
  }

  static void prune(std::vector<Survivor>* survivors, float threshold) {
    survivors->erase(std::remove_if(survivors->begin(), survivors->end(),
                                    [threshold](const Survivor& s) { return !(s.upper >= threshold); }),
                     survivors->end());
  }

  /// Scores a query's survivors and ranks them; false where codes could not serve it.
  ///
  /// The k with the largest upper bounds come first: the k-th of their scores is nearly always above the
  /// threshold, and few of the others reach it.
  bool rescore(std::size_t query, granule_hits& hits) {
    if (threshold_of(query) == kInfinity) return false;
    RankedList exact(search_.k);
    for (Worker& worker : workers_) {
      if (worker.found.empty()) continue;
      exact.merge(worker.found[query].exact);
    }
    const float bound = known_[query].lowers.threshold();
    std::vector<Survivor> survivors;
    for (Worker& worker : workers_) {
      if (worker.found.empty()) continue;
      std::vector<Survivor>& own = worker.found[query].survivors;
      prune(&own, bound);
      survivors.insert(survivors.end(), own.begin(), own.end());
    }
    // Totally ordered, so that the same rows are rescored whichever thread found them.
    const auto first = survivors.begin();
    const auto middle =
        first + static_cast<std::ptrdiff_t>(std::min<std::size_t>(search_.k, survivors.size()));
    std::nth_element(first, middle, survivors.end(), [](const Survivor& a, const Survivor& b) {
      return a.upper > b.upper || (a.upper == b.upper && a.row < b.row);
    });
    const auto by_row = [](const Survivor& a, const Survivor& b) { return a.row < b.row; };
    std::sort(first, middle, by_row);
    uint64_t rescored = score_rows(query, first, middle, bound, &exact);
    const float likely = std::max(bound, exact.threshold());
    const auto end =
        std::remove_if(middle, survivors.end(), [likely](const Survivor& s) { return !(s.upper >= likely); });
    std::sort(middle, end, by_row);
    rescored += score_rows(query, middle, end, bound, &exact);
    hits.thresholds[query] = std::max(bound, exact.threshold());
    hits.rows_rescored[query] = static_cast<uint32_t>(rescored + uncoded_rows());
    hits.counts[query] = exact.drain(hits.rows + query * search_.k, hits.scores + query * search_.k);
    return true;
  }

  /// Scores survivors, rows ascending, that may still be among the k best; returns how many.
  uint64_t score_rows(std::size_t query, std::vector<Survivor>::const_iterator begin,
                      std::vector<Survivor>::const_iterator end, float bound, RankedList* exact) {
    const double query_squared_norm = widened_.squared_norm(query);
    AlignedBuffer<float> scratch(scratch_size(search_, 1));
    uint64_t scored = 0;
    const granule_segment* segment = search_.segments;
    const granule_segment* next_segment = search_.segments;
    for (auto survivor = begin; survivor != end; ++survivor) {
      // Rows lie far from each other: the next is fetched while this one is scored.
      if (const auto next = survivor + 1; next != end) {
        while (next->row >= next_segment->first_row + next_segment->row_count) ++next_segment;
        prefetch_row(*next_segment, next->row - next_segment->first_row);
      }
      if (!(survivor->upper >= std::max(bound, exact->threshold()))) continue;
      ++scored;
      while (survivor->row >= segment->first_row + segment->row_count) ++segment;
      const std::size_t at = survivor->row - segment->first_row;
      double dot;
      backend_.kernels.inner_product(widened_.vector(query), std::size_t{1}, widened_.stride,
                                     stored_rows(backend_, search_, *segment, at, 1, scratch.data()),
                                     std::size_t{1}, std::size_t{search_.dimension},
                                     std::size_t{search_.dimension}, &dot, std::size_t{1});
      exact->offer(row_score(search_, *segment, at, dot, query_squared_norm), survivor->row);
    }
    return scored;
  }

  void prefetch_row(const granule_segment& segment, std::size_t row) const {
#if defined(__GNUC__)
    const std::size_t bytes = bytes_of(static_cast<Dtype>(search_.dtype)) * search_.dimension;
    const char* const address = static_cast<const char*>(segment.vectors) + row * bytes;
    for (std::size_t i = 0; i < std::min(bytes, kPrefetchBytes); i += 64) __builtin_prefetch(address + i);
#else
    (void)segment;
    (void)row;
#endif
  }

  uint64_t uncoded_rows() const {
    uint64_t rows = 0;
    for (uint64_t s = 0; s < search_.segment_count; ++s) {
      rows += search_.segments[s].row_count - search_.segments[s].coded_vector_count;
    }
    return rows;
  }

  /// Answers the queries that codes could not serve by the plain scan: slower, and as exact.
  granule_result finish_plainly(const std::vector<uint32_t>& unfinished, granule_hits& hits) {
    for (std::size_t begin = 0; begin < unfinished.size();) {
      std::size_t end = begin;
      while (end < unfinished.size() && unfinished[end] == unfinished[begin]) ++end;
      if (unfinished[begin] != 0) {
        granule_search plain = search_;
        plain.query_vectors += begin * search_.dimension;
        plain.query_count = end - begin;
        granule_hits part{};
        part.rows = hits.rows + begin * search_.k;
        part.scores = hits.scores + begin * search_.k;
        part.counts = hits.counts + begin;
        part.thresholds = hits.thresholds + begin;
        part.rows_rescored = hits.rows_rescored + begin;
        if (const granule_result result = flat_scan(backend_, plain, part); result != GRANULE_OK)
          return result;
      }
      begin = end;
    }
    return GRANULE_OK;
  }

  const CpuBackend& backend_;
  const granule_search& search_;
  const WidenedQueries widened_;
  const int planes_;
  const CodedQueries coded_;
  const std::size_t query_group_;
  const std::size_t tile_blocks_;
  const std::vector<ScanUnit> units_;
  const std::size_t most_survivors_;
  /// One per query.
  std::vector<Known> known_;
  /// One per slot of the pool.
  std::vector<Worker> workers_;
  std::atomic<bool> stopped_{false};
};

}  // namespace

bool codes_serve(const granule_search& search) {
  // With k of this share of the rows nearly all survive.
  if (search.k >= search.row_count / 8) return false;
  for (uint64_t s = 0; s < search.segment_count; ++s) {
    if (search.segments[s].coded_vector_count != 0) return true;
  }
  return false;
}

granule_result certified_scan(const CpuBackend& backend, const granule_search& search, granule_hits& hits) {
  return CertifiedScan(backend, search).run(hits);
}

}  // namespace granule
