#include "backends/cuda/document_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "backends/coded_queries.h"
#include "backends/cuda/device_layout.h"
#include "backends/cuda/device_shares.h"
#include "backends/cuda/host_scores.h"
#include "backends/cuda/maxsim_bounds.cuh"
#include "backends/cuda/refine_documents.cuh"
#include "backends/cuda/select_threshold.cuh"
#include "backends/cuda/stored_number.h"
#include "core/canonical_dot.h"
#include "core/ranked_list.h"

// Exact MaxSim: codes bound every document's score. Those with the greatest upper bounds are scored first,
// from a few exact similarities each; the k-th best of their scores then leaves few of the others.

namespace granule::cuda {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
/// Documents that are scored first, for each place of the result.
constexpr uint32_t kFirstPerPlace = 2;
constexpr uint32_t kLeastFirst = 32;
/// Device memory for what is kept of each document and query; it decides how many queries go at a time.
constexpr std::size_t kBoundBytes = std::size_t{256} << 20;
constexpr uint32_t kMostQueries = 256;
constexpr unsigned kBlocksPerMultiprocessor = 8;
/// Documents that a thread of the host scores before the threshold is looked at again.
constexpr std::size_t kHostDocuments = 8;

struct QueryScores {
  RankedList best;
  float threshold = -kInfinity;
  uint64_t scored = 0;
};

/// What one device works with for a search over documents.
class DocumentShare {
 public:
  DocumentShare(Device& device, const granule_search& search,
                const std::vector<const granule_segment*>& segments, bool all_segments)
      : device_(device),
        search_(search),
        segments_(segments),
        tables_(device.tables(search, segments_, !all_segments)),
        work_(device.lease()) {
    if (search.candidates != nullptr) {
      for (uint64_t i = 0; i < search.candidate_count; ++i) {
        if (holds(search.candidates[i])) candidates_.push_back(search.candidates[i]);
      }
      rows_ = &candidates_;
      work_->upload(candidates_.data(), candidates_.size(), &work_->candidate_rows);
    } else if (!all_segments) {
      rows_ = &tables_->rows;
    }
    place_count_ = static_cast<uint32_t>(rows_ != nullptr ? rows_->size() : search.row_count);
    // With every search: it may have changed.
    if (search.filter != nullptr) work_->upload(search.filter, (search.row_count + 7) / 8, &work_->filter);
  }

  std::vector<QueryScores> run() {
    std::vector<QueryScores> out(search_.query_count);
    for (QueryScores& one : out) one.best = RankedList(search_.k);
    if (place_count_ == 0) return out;
    const std::size_t bytes = std::size_t{place_count_} * (3 * sizeof(float) + 2 * sizeof(uint32_t));
    const auto at_a_time =
        static_cast<uint64_t>(std::clamp<std::size_t>(kBoundBytes / bytes, 1, kMostQueries));
    for (uint64_t first = 0; first < search_.query_count; first += at_a_time) {
      stop_if_asked();
      score(first, std::min(at_a_time, search_.query_count - first), &out);
    }
    return out;
  }

  bool holds(uint32_t row) const {
    if (segments_.empty() || row < segments_.front()->first_row) return false;
    const granule_segment& segment = *segments_[segment_place(row)];
    return row < segment.first_row + segment.row_count;
  }

  /// Finds the matches of those hits that this device holds.
  void explain(const granule_hits& hits) {
    for (uint64_t q = 0; q < search_.query_count; ++q) {
      stop_if_asked();
      explain(q, hits);
    }
  }

 private:
  void stop_if_asked() const {
    if (search_.cancelled(search_.cancelled_context) != 0) throw Cancelled();
  }

  /// Where the last segment that begins at the row or before it stands; there must be one.
  std::size_t segment_place(uint32_t row) const {
    const auto after =
        std::upper_bound(segments_.begin(), segments_.end(), row,
                         [](uint32_t r, const granule_segment* segment) { return r < segment->first_row; });
    return static_cast<std::size_t>(after - segments_.begin()) - 1;
  }

  /// Whether the device holds the vectors of a row that it has.
  bool on_device(uint32_t row) const { return tables_->residents[segment_place(row)]->vectors.size() != 0; }

  uint32_t row_at(uint32_t place) const { return rows_ != nullptr ? (*rows_)[place] : place; }

  /// Puts `count` queries on the device.
  DocumentArguments upload_queries(uint64_t first, uint64_t count) {
    const auto metric = static_cast<Metric>(search_.metric);
    const uint64_t first_vector = search_.query_offsets[first];
    const uint64_t vectors = search_.query_offsets[first + count] - first_vector;
    const float* const values = search_.query_vectors + first_vector * search_.dimension;
    const bool fits =
        tables_->in_range && panel_shared_bytes(search_.dimension) <= device_.shared_memory_of_block() / 2;
    const CodedQueries coded(values, vectors, search_.dimension, metric);
    std::vector<DocumentQuery> queries;
    std::vector<ScanQuery> scan_queries;
    std::vector<int8_t> codes;
    const std::size_t panel_bytes = DeviceLayout::tile_bytes(search_.dimension, kPanelVectors);
    uint32_t any_coded = 0;
    for (uint64_t q = 0; q < count; ++q) {
      const uint64_t begin = search_.query_offsets[first + q] - first_vector;
      const uint64_t end = search_.query_offsets[first + q + 1] - first_vector;
      const std::size_t panels = (end - begin + kPanelVectors - 1) / kPanelVectors;
      const std::size_t first_panel = scan_queries.size() / kPanelVectors;
      const bool served = fits && std::all_of(coded.usable.begin() + static_cast<std::ptrdiff_t>(begin),
                                              coded.usable.begin() + static_cast<std::ptrdiff_t>(end),
                                              [](char usable) { return usable != 0; });
      queries.push_back({static_cast<uint32_t>(first_panel), static_cast<uint32_t>(begin),
                         static_cast<uint32_t>(end - begin), served ? 1u : 0u});
      any_coded |= served ? 1u : 0u;
      scan_queries.resize(scan_queries.size() + panels * kPanelVectors, ScanQuery{});
      codes.resize(codes.size() + panels * panel_bytes, 0);
      for (uint64_t v = begin; served && v < end; ++v) {
        const CodeQuery& from = coded.queries[v];
        const std::size_t at = v - begin;
        scan_queries[first_panel * kPanelVectors + at] = {
            from.scale,       from.fine_scale, from.norm_factor, from.residual_factor,
            from.bias_factor, from.shift,      from.slack};
        int8_t* const out = codes.data() + (first_panel + at / kPanelVectors) * panel_bytes;
        for (uint32_t i = 0; i < coded.query_bytes; i += 4) {
          std::copy_n(
              coded.codes_of(v) + i, 4,
              out + DeviceLayout::offset(static_cast<unsigned>(at % kPanelVectors), i, kPanelVectors));
        }
      }
    }
    work_->upload(queries.data(), queries.size(), &work_->document_queries);
    work_->upload(scan_queries.data(), scan_queries.size(), &work_->scan_queries);
    work_->upload(codes.data(), codes.size(), &work_->query_codes);
    work_->upload(values, vectors * search_.dimension, &work_->queries);
    if (metric == Metric::squared_l2) {
      std::vector<double> norms(vectors);
      for (uint64_t v = 0; v < vectors; ++v) {
        const float* const vector = values + v * search_.dimension;
        norms[v] = canonical_dot(vector, vector, search_.dimension);
      }
      work_->upload(norms.data(), norms.size(), &work_->query_squared_norms);
    }
    return {tables_->segments.data(),
            tables_->segment_count(),
            rows_ == nullptr        ? nullptr
            : rows_ == &candidates_ ? work_->candidate_rows.data()
                                    : tables_->device_rows.data(),
            place_count_,
            search_.filter != nullptr ? work_->filter.data() : nullptr,
            work_->document_queries.data(),
            static_cast<uint32_t>(count),
            work_->query_codes.data(),
            work_->scan_queries.data(),
            work_->queries.data(),
            metric == Metric::squared_l2 ? work_->query_squared_norms.data() : nullptr,
            search_.dimension,
            any_coded,
            metric,
            static_cast<Dtype>(search_.dtype)};
  }

  void clear(uint32_t* values, std::size_t count) {
    check(cudaMemsetAsync(values, 0, count * sizeof(uint32_t), work_->stream), "the device failed");
  }

  void score(uint64_t first, uint64_t count, std::vector<QueryScores>* out) {
    const DocumentArguments arguments = upload_queries(first, count);
    const std::size_t cells = std::size_t{place_count_} * count;
    work_->bounds.grow_to(3 * cells, work_->memory_stream);
    float* const uppers = work_->bounds.data();
    float* const lowers = uppers + cells;
    float* const exact = lowers + cells;
    work_->thresholds.grow_to(2 * count, work_->memory_stream);
    uint32_t* const thresholds = work_->thresholds.data();
    uint32_t* const cuts = thresholds + count;
    work_->places.grow_to(cells, work_->memory_stream);
    work_->counts[0].grow_to(count, work_->memory_stream);
    const auto queries = static_cast<uint32_t>(count);
    cudaStream_t const stream = work_->stream;
    const unsigned blocks = std::min(device_.multiprocessors() * kBlocksPerMultiprocessor, place_count_);
    // All ones are NaN: not scored.
    check(cudaMemsetAsync(exact, 0xff, cells * sizeof(float), stream), "the device failed");
    clear(thresholds, 2 * count);
    check(launch_maxsim_bounds(arguments, uppers, lowers, place_count_, blocks, stream),
          "bounding documents failed");
    check(launch_select_threshold(lowers, place_count_, place_count_, thresholds, search_.k, queries, stream),
          "the selection of documents failed");
    check(cudaMemcpyAsync(cuts, thresholds, count * sizeof(uint32_t), cudaMemcpyDeviceToDevice, stream),
          "the device failed");
    const uint32_t first_documents = std::max(kLeastFirst, kFirstPerPlace * search_.k);
    check(launch_select_threshold(uppers, place_count_, place_count_, cuts, first_documents, queries, stream),
          "the selection of documents failed");
    refine(arguments, uppers, cuts, nullptr, exact, queries);
    stop_if_asked();
    check(launch_select_threshold(exact, place_count_, place_count_, thresholds, search_.k, queries, stream),
          "the selection of documents failed");
    refine(arguments, uppers, thresholds, cuts, exact, queries);
    collect(first, queries, uppers, exact, thresholds, out);
  }

  /// Scores the documents whose upper bound reaches `from` but not `below`.
  void refine(const DocumentArguments& arguments, const float* uppers, const uint32_t* from,
              const uint32_t* below, float* exact, uint32_t queries) {
    clear(work_->counts[0].data(), queries);
    check(launch_list_documents(uppers, place_count_, place_count_, from, below,
                                {work_->places.data(), nullptr, work_->counts[0].data(), place_count_},
                                queries, work_->stream),
          "listing documents failed");
    check(launch_refine_documents(arguments, {work_->places.data(), work_->counts[0].data(), place_count_},
                                  place_count_, exact, place_count_, {nullptr, nullptr, 0}, work_->stream),
          "scoring documents failed");
  }

  void collect(uint64_t first, uint32_t queries, const float* uppers, const float* exact,
               const uint32_t* thresholds, std::vector<QueryScores>* out) {
    const std::size_t cells = std::size_t{place_count_} * queries;
    const float* const scores = work_->download(exact, cells);
    const float* const bounds = tables_->has_vectors ? nullptr : work_->download(uppers, cells);
    const uint32_t* const keys = work_->download(thresholds, queries);
    work_->stream.wait();
    for (uint32_t q = 0; q < queries; ++q) {
      QueryScores& result = (*out)[first + q];
      for (uint32_t place = 0; place < place_count_; ++place) {
        const float score = scores[std::size_t{q} * place_count_ + place];
        if (std::isnan(score)) continue;
        ++result.scored;
        if (score >= result.best.threshold()) result.best.offer(score, row_at(place));
      }
      if (bounds != nullptr)
        score_host_documents(first + q, bounds + std::size_t{q} * place_count_, keys[q], &result);
      const float reached = keys[q] != 0 ? float_of_bits(bits_of_key(keys[q])) : -kInfinity;
      result.threshold = std::max(reached, result.best.threshold());
    }
    work_->pinned.reset();
  }

  /// Scores documents whose vectors stay with the host, those with the greatest bounds first.
  ///
  /// @param key of the threshold that bounds are to reach
  void score_host_documents(uint64_t q, const float* bounds, uint32_t key, QueryScores* result) {
    std::vector<Ranked> left;
    for (uint32_t place = 0; place < place_count_; ++place) {
      if (std::isnan(bounds[place]) || ordered_key(bits_of_float(bounds[place])) < key) continue;
      const uint32_t row = row_at(place);
      if (!on_device(row)) left.push_back({bounds[place], row});
    }
    std::sort(left.begin(), left.end(), ranks_before);
    const std::size_t at_a_time = std::max<std::size_t>(search_.k, kHostDocuments * search_.threads);
    for (std::size_t at = 0; at < left.size() && left[at].score >= result->best.threshold();) {
      std::vector<HostDocument> some;
      for (; at < left.size() && some.size() < at_a_time; ++at)
        some.push_back({segments_[segment_place(left[at].row)], left[at].row, q, nullptr, nullptr, 0});
      score_on_host(search_, &some);
      for (const HostDocument& document : some) result->best.offer(document.score, document.row);
      result->scored += some.size();
    }
  }

  void explain(uint64_t q, const granule_hits& hits) {
    const uint64_t first_vector = search_.query_offsets[q];
    const auto vectors = static_cast<uint32_t>(search_.query_offsets[q + 1] - first_vector);
    std::vector<uint32_t> places;
    std::vector<uint32_t> slots;
    std::vector<HostDocument> on_host;
    for (uint32_t i = 0; i < hits.counts[q]; ++i) {
      const uint32_t row = hits.rows[q * search_.k + i];
      if (!holds(row)) continue;
      const std::size_t out = search_.k * first_vector + std::size_t{i} * vectors;
      if (!on_device(row)) {
        on_host.push_back({segments_[segment_place(row)], row, q, hits.matched_vectors + out,
                           hits.matched_similarities + out, 0});
        continue;
      }
      places.push_back(
          rows_ != nullptr
              ? static_cast<uint32_t>(std::lower_bound(rows_->begin(), rows_->end(), row) - rows_->begin())
              : row);
      slots.push_back(i);
    }
    score_on_host(search_, &on_host);
    if (places.empty()) return;
    const DocumentArguments arguments = upload_queries(q, 1);
    const auto count = static_cast<uint32_t>(places.size());
    work_->bounds.grow_to(place_count_ + std::size_t{count} * vectors, work_->memory_stream);
    work_->places.grow_to(count + std::size_t{count} * vectors, work_->memory_stream);
    work_->upload(places.data(), places.size(), &work_->places);
    work_->upload(&count, 1, &work_->counts[0]);
    float* const similarities = work_->bounds.data() + place_count_;
    uint32_t* const matched = work_->places.data() + count;
    check(launch_refine_documents(arguments, {work_->places.data(), work_->counts[0].data(), count}, count,
                                  work_->bounds.data(), place_count_, {matched, similarities, vectors},
                                  work_->stream),
          "explaining documents failed");
    const uint32_t* const found = work_->download(matched, std::size_t{count} * vectors);
    const float* const values = work_->download(similarities, std::size_t{count} * vectors);
    work_->stream.wait();
    for (uint32_t e = 0; e < count; ++e) {
      const std::size_t out = search_.k * first_vector + std::size_t{slots[e]} * vectors;
      std::copy_n(found + std::size_t{e} * vectors, vectors, hits.matched_vectors + out);
      std::copy_n(values + std::size_t{e} * vectors, vectors, hits.matched_similarities + out);
    }
    work_->pinned.reset();
  }

  Device& device_;
  const granule_search& search_;
  const std::vector<const granule_segment*> segments_;
  // Goes after the workspace, which waits for what uses it.
  const std::shared_ptr<const SnapshotTables> tables_;
  const Device::Lease work_;
  /// Those of the search's that this device holds.
  std::vector<uint32_t> candidates_;
  /// The rows to score, where they are not simply all.
  const std::vector<uint32_t>* rows_ = nullptr;
  uint32_t place_count_ = 0;
};

void fill_unused_matches(const granule_search& search, const granule_hits& hits) {
  for (uint64_t q = 0; q < search.query_count; ++q) {
    const uint64_t first_vector = search.query_offsets[q];
    const uint64_t vectors = search.query_offsets[q + 1] - first_vector;
    const std::size_t begin = search.k * first_vector + std::size_t{hits.counts[q]} * vectors;
    const std::size_t count = (std::size_t{search.k} - hits.counts[q]) * vectors;
    std::fill_n(hits.matched_vectors + begin, count, kNoRow);
    std::fill_n(hits.matched_similarities + begin, count, -kInfinity);
  }
}

}  // namespace

void search_documents(const std::vector<std::unique_ptr<Device>>& devices, const granule_search& search,
                      granule_hits* hits) {
  const std::vector<std::vector<const granule_segment*>> shares = divide_segments(search, devices.size());
  std::vector<std::unique_ptr<DocumentShare>> parts(devices.size());
  std::vector<std::vector<QueryScores>> found(devices.size());
  for_each_device(devices, [&](std::size_t d) {
    parts[d] = std::make_unique<DocumentShare>(*devices[d], search, shares[d], devices.size() == 1);
    found[d] = parts[d]->run();
  });
  for (uint64_t q = 0; q < search.query_count; ++q) {
    QueryScores& all = found[0][q];
    for (std::size_t d = 1; d < devices.size(); ++d) {
      all.best.merge(found[d][q].best);
      all.threshold = std::max(all.threshold, found[d][q].threshold);
      all.scored += found[d][q].scored;
    }
    hits->thresholds[q] = std::max(all.threshold, all.best.threshold());
    hits->rows_rescored[q] = static_cast<uint32_t>(all.scored);
    hits->counts[q] = all.best.drain(hits->rows + q * search.k, hits->scores + q * search.k);
  }
  if (hits->matched_vectors == nullptr) return;
  fill_unused_matches(search, *hits);
  for_each_device(devices, [&](std::size_t d) { parts[d]->explain(*hits); });
}

}  // namespace granule::cuda
