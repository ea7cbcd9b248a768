#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "backends/cpu/coded_queries.h"
#include "backends/cpu/cpu_backend.h"
#include "backends/cpu/maxsim_scorer.h"
#include "backends/cpu/widened_queries.h"
#include "core/ranked_list.h"

// Exact MaxSim from int8 codes. For each query vector the document's vectors give a lower and an upper bound
// of the best similarity; their sums bound the document's score. Documents whose upper bound reaches the k-th
// largest lower bound are scored by the reference arithmetic (certified_scan.cc gives the argument).

namespace granule {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
/// Documents between two looks at the cancel flag.
constexpr std::size_t kDocumentsPerLook = 16;

struct Survivor {
  uint32_t row;
  float upper;
};

/// What one task has found for its query.
struct Found {
  explicit Found(std::size_t k = 0) : lowers(k) {}

  RankedList lowers;
  std::vector<Survivor> survivors;
};

struct Bounds {
  float lower;
  float upper;
};

/// Bounds of a document's score from those of its maxima and its bias. The sums carry float64 roundings, as
/// the reference's does, each below 2^-52 of the magnitudes; the results are rounded outwards.
Bounds sum_bounds(const std::vector<float>& lowers, const std::vector<float>& uppers, double bias) {
  double lower = bias;
  double upper = bias;
  double magnitude = std::fabs(bias);
  for (std::size_t i = 0; i < lowers.size(); ++i) {
    lower += static_cast<double>(lowers[i]);
    upper += static_cast<double>(uppers[i]);
    magnitude += std::fabs(static_cast<double>(lowers[i])) + std::fabs(static_cast<double>(uppers[i]));
  }
  const double room = magnitude * 0x1p-50 * static_cast<double>(lowers.size() + 1);
  return {std::nextafter(static_cast<float>(lower - room), -kInfinity),
          std::nextafter(static_cast<float>(upper + room), kInfinity)};
}

class CertifiedMaxsim {
 public:
  CertifiedMaxsim(const CpuBackend& backend, const granule_search& search)
      : backend_(backend),
        search_(search),
        widened_(search.query_vectors, search.query_offsets[search.query_count], search.dimension,
                 static_cast<Metric>(search.metric)),
        coded_(search.query_vectors, search.query_offsets[search.query_count], search.dimension,
               static_cast<Metric>(search.metric)),
        documents_(search.candidates != nullptr ? search.candidate_count : search.row_count),
        thresholds_(search.query_count) {
    for (std::atomic<float>& threshold : thresholds_) threshold.store(-kInfinity, std::memory_order_relaxed);
  }

  granule_result run(granule_hits& hits) {
    const std::size_t wanted =
        search_.threads == 1 ? 1 : (8 * search_.threads + search_.query_count - 1) / search_.query_count;
    slices_ = std::max<std::size_t>(1, std::min(wanted, documents_));
    found_.resize(search_.query_count * slices_);
    backend_.pool.parallel_for(found_.size(), search_.threads, [&](std::size_t task) { scan(task); });
    for (std::size_t query = 0; query < search_.query_count && !stopped_.load(); ++query)
      rescore(query, hits);
    if (stopped_.load()) return GRANULE_CANCELLED;
    explain_hits(backend_, search_, widened_, hits);
    return GRANULE_OK;
  }

 private:
  bool stop_asked() {
    if (stopped_.load(std::memory_order_relaxed)) return true;
    if (search_.cancelled(search_.cancelled_context) == 0) return false;
    stopped_.store(true, std::memory_order_relaxed);
    return true;
  }

  std::size_t vector_count(std::size_t query) const {
    return search_.query_offsets[query + 1] - search_.query_offsets[query];
  }

  /// One query over one slice of the documents.
  void scan(std::size_t task) {
    const std::size_t slice = task % slices_;
    const std::size_t query = task / slices_;
    const std::size_t first_vector = search_.query_offsets[query];
    std::vector<float> lowers(vector_count(query));
    std::vector<float> uppers(lowers.size());
    const auto usable = coded_.usable.begin() + static_cast<std::ptrdiff_t>(first_vector);
    const bool all_usable = std::all_of(usable, usable + static_cast<std::ptrdiff_t>(lowers.size()),
                                        [](char u) { return u != 0; });
    Found found(search_.k);
    const std::size_t begin = documents_ * slice / slices_;
    const std::size_t end = documents_ * (slice + 1) / slices_;
    const granule_segment* segment = nullptr;
    for (std::size_t i = begin; i < end; ++i) {
      if ((i - begin) % kDocumentsPerLook == 0 && stop_asked()) return;
      const uint64_t row = search_.candidates != nullptr ? search_.candidates[i] : i;
      if (!allowed(search_.filter, row)) continue;
      if (segment == nullptr || row >= segment->first_row + segment->row_count)
        segment = &segment_of(search_, row);
      Bounds bounds{-kInfinity, kInfinity};
      if (all_usable) bounds = bound(*segment, row - segment->first_row, first_vector, &lowers, &uppers);
      const float threshold = thresholds_[query].load(std::memory_order_relaxed);
      if (!(bounds.upper >= threshold)) continue;
      found.survivors.push_back({static_cast<uint32_t>(row), bounds.upper});
      if (bounds.lower == -kInfinity) continue;
      found.lowers.offer(bounds.lower, static_cast<uint32_t>(row));
      raise(query, found.lowers.threshold());
    }
    found_[task] = std::move(found);
  }

  /// Bounds of a document's score; infinite ones where some of its vectors have no codes.
  Bounds bound(const granule_segment& segment, std::size_t index, std::size_t first_vector,
               std::vector<float>* lowers, std::vector<float>* uppers) const {
    const std::size_t begin = segment.row_offsets[index];
    const std::size_t end = segment.row_offsets[index + 1];
    if (end > segment.coded_vector_count) return {-kInfinity, kInfinity};
    const std::size_t block = begin / CodeLayout::kBlockRows;
    const std::size_t at = block * CodeLayout::kBlockRows;
    const CodeBlocks blocks{segment.codes + block * CodeLayout::block_bytes(search_.dimension),
                            segment.scales + at,
                            segment.residual_norms + at,
                            segment.code_norms + at,
                            segment.biases != nullptr ? segment.biases + at : nullptr,
                            CodeLayout::groups(search_.dimension)};
    backend_.kernels.code_maxsim(blocks, begin - at, end - begin, coded_.codes_of(first_vector),
                                 coded_.queries.data() + first_vector, lowers->size(), lowers->data(),
                                 uppers->data());
    return sum_bounds(*lowers, *uppers,
                      segment.row_biases != nullptr ? static_cast<double>(segment.row_biases[index]) : 0.0);
  }

  void raise(std::size_t query, float threshold) {
    float current = thresholds_[query].load(std::memory_order_relaxed);
    while (threshold > current &&
           !thresholds_[query].compare_exchange_weak(current, threshold, std::memory_order_relaxed)) {
    }
  }

  /// Scores a query's survivors and ranks them.
  void rescore(std::size_t query, granule_hits& hits) {
    RankedList lowers(search_.k);
    std::vector<uint32_t> rows;
    for (std::size_t slice = 0; slice < slices_; ++slice)
      lowers.merge(found_[query * slices_ + slice].lowers);
    const float threshold = lowers.threshold();
    for (std::size_t slice = 0; slice < slices_; ++slice) {
      for (const Survivor& survivor : found_[query * slices_ + slice].survivors) {
        if (survivor.upper >= threshold) rows.push_back(survivor.row);
      }
    }
    const std::size_t tasks =
        std::min<std::size_t>(rows.size(), search_.threads == 1 ? 1 : 4 * search_.threads);
    std::vector<RankedList> partial(tasks, RankedList(search_.k));
    backend_.pool.parallel_for(tasks, search_.threads, [&](std::size_t task) {
      MaxsimScorer scorer(backend_, search_, widened_, search_.query_offsets[query], vector_count(query));
      for (std::size_t i = rows.size() * task / tasks; i < rows.size() * (task + 1) / tasks; ++i) {
        if (i % kDocumentsPerLook == 0 && stop_asked()) return;
        const granule_segment& segment = segment_of(search_, rows[i]);
        partial[task].offer(scorer.score(segment, rows[i] - segment.first_row), rows[i]);
      }
    });
    RankedList best(search_.k);
    for (const RankedList& list : partial) best.merge(list);
    hits.thresholds[query] = threshold;
    hits.rows_rescored[query] = static_cast<uint32_t>(rows.size());
    hits.counts[query] = best.drain(hits.rows + query * search_.k, hits.scores + query * search_.k);
  }

  const CpuBackend& backend_;
  const granule_search& search_;
  const WidenedQueries widened_;
  const CodedQueries coded_;
  const std::size_t documents_;
  /// Per query: the k-th largest lower bound that any task knows of.
  std::vector<std::atomic<float>> thresholds_;
  std::size_t slices_ = 1;
  /// [query * slices + slice]
  std::vector<Found> found_;
  std::atomic<bool> stopped_{false};
};

}  // namespace

bool codes_serve_documents(const CpuBackend& backend, const granule_search& search) {
  if (backend.kernels.code_maxsim.function == nullptr) return false;
  const std::size_t documents = search.candidates != nullptr ? search.candidate_count : search.row_count;
  // With k of this share of the documents most survive.
  if (search.k >= documents / 2) return false;
  for (uint64_t s = 0; s < search.segment_count; ++s) {
    if (search.segments[s].coded_vector_count != 0) return true;
  }
  return false;
}

granule_result certified_maxsim(const CpuBackend& backend, const granule_search& search, granule_hits& hits) {
  return CertifiedMaxsim(backend, search).run(hits);
}

}  // namespace granule
