#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

#include "backends/coded_queries.h"
#include "backends/cpu/cpu_backend.h"
#include "backends/cpu/exact_rows.h"
#include "backends/cpu/scan_units.h"
#include "backends/cpu/stored_rows.h"
#include "backends/cpu/term_adder.h"
#include "backends/cpu/widened_queries.h"
#include "core/code_layout.h"

// The sum of the terms of all rows (core/log_sum_exp.h), each from its reference score. Where codes bound a
// row's score so far below the greatest that its term is 0, it is left out: that changes nothing.

namespace granule {
namespace {

/// Queries that share one pass over the rows: their float64 forms stay in the second-level cache.
constexpr std::size_t kQueryGroup = 32;
/// Queries up to which a scan of codes is bound by memory, so that a second plane of their codes costs
/// nothing.
constexpr std::size_t kTwoPlaneQueries = 2;
/// Bytes of codes of a tile of rows, between two looks at the cancel flag.
constexpr std::size_t kTileBytes = std::size_t{1} << 17;
constexpr std::size_t kMostTileBlocks = 48;
/// Where more than this share of a tile's rows have terms, all of them are scored side by side.
constexpr std::size_t kShareWithTerms = 4;
/// So many tiles after such a one are taken to be like it, without a look at their codes.
constexpr unsigned kTilesAlike = 15;

/// What one slot of threads works with.
struct Worker {
  /// One per query.
  std::vector<TermSum> sums;
  AlignedBuffer<double> tile;
  AlignedBuffer<float> scratch;
  std::unique_ptr<CodeSurvivor[]> survivors;
  unsigned tiles_alike = 0;
};

class RowTerms {
 public:
  RowTerms(const CpuBackend& backend, const granule_term_search& request)
      : backend_(backend),
        request_(request),
        search_(*request.search),
        widened_(search_.query_vectors, search_.query_count, search_.dimension,
                 static_cast<Metric>(search_.metric)),
        planes_(search_.query_count <= kTwoPlaneQueries ? 2 : 1),
        coded_(search_.query_vectors, search_.query_count, search_.dimension,
               static_cast<Metric>(search_.metric), planes_),
        group_(std::min<std::size_t>(kQueryGroup, search_.query_count)),
        tile_rows_(CodeLayout::kBlockRows *
                   std::clamp<std::size_t>(kTileBytes / CodeLayout::block_bytes(search_.dimension) /
                                               kBlocksSideBySide * kBlocksSideBySide,
                                           kBlocksSideBySide, kMostTileBlocks)),
        units_(divide_into_units(search_, group_)),
        workers_(search_.threads),
        stop_(search_) {
    for (std::size_t q = 0; q < search_.query_count; ++q)
      thresholds_.push_back(least_score_with_term(request.maxima[q], request.temperature));
  }

  granule_result run(granule_term_sum* sums) {
    const std::size_t groups = (search_.query_count + group_ - 1) / group_;
    backend_.pool.parallel_for_slots(
        groups * units_.size(), search_.threads, [&](std::size_t task, std::size_t slot) {
          add_unit(units_[task % units_.size()], task / units_.size() * group_, &workers_[slot]);
        });
    if (stop_.was_seen()) return GRANULE_CANCELLED;
    for (std::size_t q = 0; q < search_.query_count; ++q) {
      TermSum all;
      for (const Worker& worker : workers_) {
        if (!worker.sums.empty()) all.add(worker.sums[q]);
      }
      sums[q] = {all.low, all.high};
    }
    return GRANULE_OK;
  }

 private:
  /// One group of queries over one unit of rows.
  void add_unit(const ScanUnit& unit, std::size_t first_query, Worker* worker) {
    const std::size_t count = std::min(group_, search_.query_count - first_query);
    if (worker->sums.empty()) {
      worker->sums.resize(search_.query_count);
      worker->tile = AlignedBuffer<double>(group_ * kExactRowTile);
      worker->scratch = AlignedBuffer<float>(scratch_size(search_, kExactRowTile));
      worker->survivors.reset(new CodeSurvivor[group_ * tile_rows_]);
    }
    worker->tiles_alike = 0;
    const bool coded =
        unit.coded && std::all_of(coded_.usable.begin() + static_cast<std::ptrdiff_t>(first_query),
                                  coded_.usable.begin() + static_cast<std::ptrdiff_t>(first_query + count),
                                  [](char usable) { return usable != 0; });
    for (std::size_t begin = unit.begin; begin < unit.end; begin += tile_rows_) {
      if (stop_.look()) return;
      const std::size_t end = std::min(unit.end, begin + tile_rows_);
      if (!any_allowed(search_.filter, unit.segment->first_row + begin, end - begin)) continue;
      if (coded && worker->tiles_alike == 0) {
        const std::size_t found = scan(*unit.segment, begin, end, first_query, count, worker);
        if (found * kShareWithTerms <= (end - begin) * count) {
          for (std::size_t i = 0; i < found; ++i)
            add_survivor(*unit.segment, begin, first_query, worker->survivors[i], worker);
          continue;
        }
        worker->tiles_alike = kTilesAlike;
      } else if (coded) {
        --worker->tiles_alike;
      }
      for (std::size_t row = begin; row < end; row += kExactRowTile)
        add_rows(*unit.segment, row, std::min(end, row + kExactRowTile), first_query, count, worker);
    }
  }

  /// Lists the rows of whole blocks that may have a term.
  std::size_t scan(const granule_segment& segment, std::size_t begin, std::size_t end,
                   std::size_t first_query, std::size_t count, Worker* worker) const {
    const std::size_t block = begin / CodeLayout::kBlockRows;
    const CodeBlocks blocks{segment.codes + block * CodeLayout::block_bytes(search_.dimension),
                            segment.scales + begin,
                            segment.residual_norms + begin,
                            segment.code_norms + begin,
                            segment.biases != nullptr ? segment.biases + begin : nullptr,
                            CodeLayout::groups(search_.dimension)};
    const auto& kernel = planes_ == 2 ? backend_.kernels.code_scan_two_planes : backend_.kernels.code_scan;
    return kernel(blocks, end / CodeLayout::kBlockRows - block, coded_.codes_of(first_query),
                  coded_.queries.data() + first_query, count, thresholds_.data() + first_query,
                  worker->survivors.get());
  }

  void add_survivor(const granule_segment& segment, std::size_t begin, std::size_t first_query,
                    const CodeSurvivor& survivor, Worker* worker) const {
    const std::size_t row = begin + survivor.row;
    const std::size_t query = first_query + survivor.query;
    if (!allowed(search_.filter, segment.first_row + row)) return;
    double dot;
    inner_products(segment, row, 1, query, 1, &dot, worker);
    const float score = row_score(search_, segment, row, dot, widened_.squared_norm(query));
    worker->sums[query].add(softmax_term(score, request_.maxima[query], request_.temperature));
  }

  /// At most kExactRowTile rows.
  void add_rows(const granule_segment& segment, std::size_t begin, std::size_t end, std::size_t first_query,
                std::size_t count, Worker* worker) const {
    const uint64_t first_row = segment.first_row + begin;
    if (!any_allowed(search_.filter, first_row, end - begin)) return;
    double* const dots = worker->tile.data();
    inner_products(segment, begin, end - begin, first_query, count, dots, worker);
    for (std::size_t q = 0; q < count; ++q) {
      const std::size_t query = first_query + q;
      TermAdder adder(backend_, request_, query, &worker->sums[query]);
      for (std::size_t r = 0; r < end - begin; ++r) {
        if (!allowed(search_.filter, first_row + r)) continue;
        adder.add(row_score(search_, segment, begin + r, dots[q * kExactRowTile + r],
                            widened_.squared_norm(query)));
      }
      adder.flush();
    }
  }

  void inner_products(const granule_segment& segment, std::size_t row, std::size_t rows, std::size_t query,
                      std::size_t queries, double* dots, Worker* worker) const {
    backend_.kernels.inner_product(widened_.vector(query), queries, widened_.stride,
                                   stored_rows(backend_, search_, segment, row, rows, worker->scratch.data()),
                                   rows, std::size_t{search_.dimension}, std::size_t{search_.dimension}, dots,
                                   kExactRowTile);
  }

  const CpuBackend& backend_;
  const granule_term_search& request_;
  const granule_search& search_;
  const WidenedQueries widened_;
  const int planes_;
  const CodedQueries coded_;
  /// Queries that share a pass.
  const std::size_t group_;
  const std::size_t tile_rows_;
  const std::vector<ScanUnit> units_;
  /// Rows of a smaller score have no term; one per query.
  std::vector<float> thresholds_;
  /// One per slot of the pool.
  std::vector<Worker> workers_;
  StopAsked stop_;
};

}  // namespace

granule_result sum_row_terms(const CpuBackend& backend, const granule_term_search& request,
                             granule_term_sum* sums) {
  return RowTerms(backend, request).run(sums);
}

}  // namespace granule
