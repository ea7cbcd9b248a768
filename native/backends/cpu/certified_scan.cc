#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "backends/cpu/coded_queries.h"
#include "backends/cpu/cpu_backend.h"
#include "backends/cpu/exact_rows.h"
#include "backends/cpu/stored_rows.h"
#include "backends/cpu/widened_queries.h"
#include "core/code_layout.h"
#include "core/ranked_list.h"
#include "core/score.h"

// Exact search from int8 codes. Each row gets an interval that holds its score; theta is the k-th largest
// lower bound; rows whose upper bound reaches theta are scored by the reference arithmetic, and the k best of
// those are the answer. A row that is left out scores strictly less than k others: its score, rounded, is at
// most its upper bound, and theirs are at least theta.

namespace granule {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
/// Queries that share one pass over the codes.
constexpr std::size_t kQueryGroup = 64;
/// Queries of one kernel call.
constexpr std::size_t kKernelQueries = 8;
/// Blocks of one kernel call: their codes stay in the second-level cache while the group's queries pass over
/// them.
constexpr std::size_t kTileBlocks = 12;
constexpr std::size_t kTileRows = kTileBlocks * CodeLayout::kBlockRows;
/// Tiles between two looks at the cancel flag.
constexpr std::size_t kTilesPerLook = 8;
/// Survivors of one query that are kept before those below the threshold are dropped.
constexpr std::size_t kPruneAt = 4096;

/// Consecutive rows of a segment: a tile of coded blocks, or rows without codes.
struct Unit {
  const granule_segment* segment;
  std::size_t begin;
  std::size_t end;
  bool coded;
};

std::vector<Unit> divide(const granule_search& search) {
  std::vector<Unit> units;
  for (uint64_t s = 0; s < search.segment_count; ++s) {
    const granule_segment& segment = search.segments[s];
    for (std::size_t begin = 0; begin < segment.coded_vector_count; begin += kTileRows) {
      units.push_back(
          {&segment, begin, std::min<std::size_t>(segment.coded_vector_count, begin + kTileRows), true});
    }
    for (std::size_t begin = segment.coded_vector_count; begin < segment.row_count; begin += kTileRows) {
      units.push_back({&segment, begin, std::min<std::size_t>(segment.row_count, begin + kTileRows), false});
    }
  }
  return units;
}

struct Survivor {
  uint32_t row;
  float upper;
};

/// What one task has found for one query.
struct Found {
  explicit Found(std::size_t k) : lowers(k), exact(k) {}

  RankedList lowers;
  /// Rows that were scored exactly because they have no codes.
  RankedList exact;
  std::vector<Survivor> survivors;
  std::size_t prune_at = kPruneAt;
  bool gave_up = false;
};

class CertifiedScan {
 public:
  CertifiedScan(const CpuBackend& backend, const granule_search& search)
      : backend_(backend),
        search_(search),
        widened_(search.query_vectors, search.query_count, search.dimension,
                 static_cast<Metric>(search.metric)),
        groups_of_four_(CodeLayout::groups(search.dimension)),
        coded_(search.query_vectors, search.query_count, search.dimension,
               static_cast<Metric>(search.metric)),
        units_(divide(search)),
        // Beyond this share of the rows the plain scan is cheaper than rescoring.
        most_survivors_(std::max<std::size_t>(kPruneAt, search.row_count / 16)),
        thresholds_(search.query_count) {
    for (std::atomic<float>& threshold : thresholds_) threshold.store(-kInfinity, std::memory_order_relaxed);
  }

  granule_result run(granule_hits& hits) {
    const std::size_t query_groups = (search_.query_count + kQueryGroup - 1) / kQueryGroup;
    const std::size_t wanted =
        search_.threads == 1 ? 1 : (4 * search_.threads + query_groups - 1) / query_groups;
    slices_ = std::max<std::size_t>(1, std::min(wanted, units_.size()));
    found_.resize(query_groups * slices_);
    backend_.pool.parallel_for(found_.size(), search_.threads, [&](std::size_t task) { scan(task); });
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

  /// One group of queries over one slice of the units.
  void scan(std::size_t task) {
    const std::size_t slice = task % slices_;
    const std::size_t first_query = task / slices_ * kQueryGroup;
    const std::size_t count = std::min(kQueryGroup, search_.query_count - first_query);
    std::vector<Found> found;
    found.reserve(count);
    for (std::size_t q = 0; q < count; ++q) {
      found.emplace_back(search_.k);
      found.back().gave_up = !coded_.usable[first_query + q];
    }
    std::vector<CodeSurvivor> survivors(kKernelQueries * kTileRows);
    AlignedBuffer<double> exact_tile(count * kExactRowTile);
    AlignedBuffer<float> scratch(scratch_size(search_, kExactRowTile));
    const std::size_t end = units_.size() * (slice + 1) / slices_;
    std::size_t looked = 0;
    for (std::size_t u = units_.size() * slice / slices_; u < end; ++u) {
      if (looked++ % kTilesPerLook == 0 && stop_asked()) return;
      if (units_[u].coded) {
        scan_codes(units_[u], first_query, count, survivors.data(), found.data());
      } else {
        scan_exactly(units_[u], first_query, count, exact_tile.data(), scratch.data(), found.data());
      }
    }
    found_[task] = std::move(found);
  }

  void scan_codes(const Unit& unit, std::size_t first_query, std::size_t count, CodeSurvivor* survivors,
                  Found* found) {
    const granule_segment& segment = *unit.segment;
    const std::size_t block = unit.begin / CodeLayout::kBlockRows;
    const CodeBlocks blocks{segment.codes + block * CodeLayout::block_bytes(search_.dimension),
                            segment.scales + unit.begin,
                            segment.residual_norms + unit.begin,
                            segment.code_norms + unit.begin,
                            segment.biases != nullptr ? segment.biases + unit.begin : nullptr,
                            groups_of_four_};
    const std::size_t block_count = (unit.end - unit.begin) / CodeLayout::kBlockRows;
    const uint64_t first_row = segment.first_row + unit.begin;
    for (std::size_t begin = 0; begin < count; begin += kKernelQueries) {
      const std::size_t queries = std::min(kKernelQueries, count - begin);
      float thresholds[kKernelQueries];
      uint32_t counts[kKernelQueries];
      for (std::size_t q = 0; q < queries; ++q) {
        thresholds[q] = found[begin + q].gave_up
                            ? kInfinity
                            : thresholds_[first_query + begin + q].load(std::memory_order_relaxed);
      }
      backend_.kernels.code_scan(blocks, block_count, coded_.codes_of(first_query + begin),
                                 coded_.queries.data() + first_query + begin, queries,
                                 static_cast<const float*>(thresholds), survivors, kTileRows,
                                 static_cast<uint32_t*>(counts));
      for (std::size_t q = 0; q < queries; ++q) {
        if (found[begin + q].gave_up) continue;
        take(survivors + q * kTileRows, counts[q], first_row, first_query + begin + q, &found[begin + q]);
      }
    }
  }

  void take(const CodeSurvivor* survivors, std::size_t count, uint64_t first_row, std::size_t query,
            Found* found) {
    for (std::size_t i = 0; i < count; ++i) {
      const uint64_t row = first_row + survivors[i].row;
      if (!allowed(search_.filter, row)) continue;
      found->lowers.offer(survivors[i].lower, static_cast<uint32_t>(row));
      found->survivors.push_back({static_cast<uint32_t>(row), survivors[i].upper});
    }
    const float threshold = raise(query, found->lowers.threshold());
    if (found->survivors.size() < found->prune_at) return;
    prune(&found->survivors, threshold);
    found->prune_at = std::max(kPruneAt, 2 * found->survivors.size());
    found->gave_up = found->survivors.size() > most_survivors_;
  }

  void scan_exactly(const Unit& unit, std::size_t first_query, std::size_t count, double* tile,
                    float* scratch, Found* found) {
    std::vector<RankedList> lists;
    lists.reserve(count);
    for (std::size_t q = 0; q < count; ++q) lists.emplace_back(search_.k);
    exact_rows(backend_, search_, widened_, first_query, count, *unit.segment, unit.begin, unit.end, tile,
               scratch, lists.data());
    for (std::size_t q = 0; q < count; ++q) {
      found[q].lowers.merge(lists[q]);
      found[q].exact.merge(lists[q]);
      raise(first_query + q, found[q].lowers.threshold());
    }
  }

  /// Raises a query's threshold, shared by all tasks, to at least `threshold`; returns it.
  float raise(std::size_t query, float threshold) {
    float current = thresholds_[query].load(std::memory_order_relaxed);
    while (threshold > current &&
           !thresholds_[query].compare_exchange_weak(current, threshold, std::memory_order_relaxed)) {
    }
    return std::max(current, threshold);
  }

  static void prune(std::vector<Survivor>* survivors, float threshold) {
    survivors->erase(std::remove_if(survivors->begin(), survivors->end(),
                                    [threshold](const Survivor& s) { return !(s.upper >= threshold); }),
                     survivors->end());
  }

  /// Scores a query's survivors and ranks them; false where codes could not serve it.
  bool rescore(std::size_t query, granule_hits& hits) {
    std::vector<Found*> parts;
    for (std::size_t slice = 0; slice < slices_; ++slice) {
      Found& part = found_[query / kQueryGroup * slices_ + slice][query % kQueryGroup];
      if (part.gave_up) return false;
      parts.push_back(&part);
    }
    RankedList lowers(search_.k);
    RankedList exact(search_.k);
    for (Found* part : parts) {
      lowers.merge(part->lowers);
      exact.merge(part->exact);
    }
    const float threshold = lowers.threshold();
    const double query_squared_norm = widened_.squared_norm(query);
    uint64_t rescored = 0;
    AlignedBuffer<float> scratch(scratch_size(search_, 1));
    for (Found* part : parts) {
      prune(&part->survivors, threshold);
      rescored += part->survivors.size();
      // Survivors of one task are ascending, so their segments are met one after another.
      const granule_segment* segment = search_.segments;
      for (const Survivor& survivor : part->survivors) {
        while (survivor.row >= segment->first_row + segment->row_count) ++segment;
        const std::size_t at = survivor.row - segment->first_row;
        double dot;
        backend_.kernels.inner_product(widened_.vector(query), std::size_t{1}, widened_.stride,
                                       stored_rows(backend_, search_, *segment, at, 1, scratch.data()),
                                       std::size_t{1}, std::size_t{search_.dimension},
                                       std::size_t{search_.dimension}, &dot, std::size_t{1});
        exact.offer(row_score(search_, *segment, at, dot, query_squared_norm), survivor.row);
      }
    }
    hits.thresholds[query] = threshold;
    hits.rows_rescored[query] = static_cast<uint32_t>(rescored + uncoded_rows());
    hits.counts[query] = exact.drain(hits.rows + query * search_.k, hits.scores + query * search_.k);
    return true;
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
  const std::size_t groups_of_four_;
  const CodedQueries coded_;
  const std::vector<Unit> units_;
  const std::size_t most_survivors_;
  /// Per query: the k-th largest lower bound that any task knows of.
  std::vector<std::atomic<float>> thresholds_;
  std::size_t slices_ = 1;
  /// [query group * slices + slice][query in group]
  std::vector<std::vector<Found>> found_;
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
