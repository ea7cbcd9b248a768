#include "backends/cuda/term_sums.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "backends/cuda/device_shares.h"
#include "backends/cuda/host_scores.h"
#include "backends/cuda/log_sum_exp.cuh"
#include "core/canonical_dot.h"
#include "core/log_sum_exp.h"

namespace granule::cuda {
namespace {

/// Queries of one launch, and rows or documents: the caller is asked whether to stop after each.
constexpr uint64_t kQueries = 64;
constexpr uint64_t kRows = 1 << 16;
constexpr uint64_t kDocuments = 1 << 12;
/// Rows and queries that the host scores at a time.
constexpr std::size_t kHostScores = 1 << 12;

/// What one device does for a sum over all rows.
class DeviceTerms {
 public:
  /// @param filter of rows, null: all
  /// @param all_segments whether the device holds all of them
  DeviceTerms(Device& device, const granule_term_search& request, const uint8_t* filter,
              const std::vector<const granule_segment*>& segments, bool all_segments)
      : request_(request),
        search_(*request.search),
        filter_(filter),
        segments_(segments),
        tables_(device.tables(search_, segments_, documents() && !all_segments)),
        work_(device.lease()) {
    if (static_cast<Metric>(search_.metric) != Metric::squared_l2) return;
    const uint64_t vectors = vector_of(search_.query_count);
    for (uint64_t v = 0; v < vectors; ++v) {
      const float* const vector = search_.query_vectors + v * search_.dimension;
      query_squared_norms_.push_back(canonical_dot(vector, vector, search_.dimension));
    }
  }
  // What is on the stream may still use the arrays, also after an exception.
  ~DeviceTerms() { cudaStreamSynchronize(work_->stream); }
  DeviceTerms(const DeviceTerms&) = delete;
  DeviceTerms& operator=(const DeviceTerms&) = delete;

  std::vector<TermSum> run() {
    std::vector<TermSum> sums(search_.query_count);
    if (segments_.empty()) return sums;
    if (filter_ != nullptr) work_->upload(filter_, (search_.row_count + 7) / 8, &work_->filter);
    for (uint64_t first = 0; first < search_.query_count; first += kQueries)
      sum_on_device(first, std::min(kQueries, search_.query_count - first), &sums);
    for (std::size_t s = 0; s < segments_.size(); ++s) {
      if (on_device(s)) continue;
      const granule_segment& segment = *segments_[s];
      if (documents()) {
        sum_on_host(segment, &sums, [&](uint32_t row, uint64_t q) {
          return HostDocument{&segment, row, q, nullptr, nullptr, 0.0f};
        });
      } else {
        sum_on_host(segment, &sums, [&](uint32_t row, uint64_t q) {
          return HostRow{&segment, row, q, query_squared_norms_.empty() ? 0.0 : query_squared_norms_[q],
                         0.0f};
        });
      }
    }
    return sums;
  }

 private:
  void stop_if_asked() const {
    if (search_.cancelled(search_.cancelled_context) != 0) throw Cancelled();
  }

  bool on_device(std::size_t segment) const { return tables_->residents[segment]->vectors.size() != 0; }
  bool documents() const { return search_.query_offsets != nullptr; }
  uint64_t vector_of(uint64_t query) const { return documents() ? search_.query_offsets[query] : query; }

  TermArguments upload_queries(uint64_t first, uint64_t count) {
    const uint64_t begin = vector_of(first);
    const uint64_t vectors = vector_of(first + count) - begin;
    const float* const values = search_.query_vectors + begin * search_.dimension;
    const bool squared = !query_squared_norms_.empty();
    work_->upload(values, vectors * search_.dimension, &work_->queries);
    if (squared) work_->upload(query_squared_norms_.data() + begin, vectors, &work_->query_squared_norms);
    if (documents()) {
      std::vector<uint32_t> offsets(count + 1);
      for (uint64_t q = 0; q <= count; ++q) offsets[q] = static_cast<uint32_t>(vector_of(first + q) - begin);
      work_->upload(offsets.data(), offsets.size(), &query_offsets_);
    }
    work_->upload(request_.maxima + first, count, &maxima_);
    sums_.grow_to(count, work_->memory_stream);
    check(cudaMemsetAsync(sums_.data(), 0, count * sizeof(SharedTermSum), work_->stream),
          "the device failed");
    return {{tables_->segments.data(), tables_->segment_count(), work_->queries.data(),
             squared ? work_->query_squared_norms.data() : nullptr, static_cast<uint32_t>(vectors),
             search_.dimension, static_cast<Metric>(search_.metric), static_cast<Dtype>(search_.dtype)},
            query_offsets_.data(),
            static_cast<uint32_t>(count),
            filter_ != nullptr ? work_->filter.data() : nullptr,
            maxima_.data(),
            request_.temperature,
            sums_.data()};
  }

  void sum_on_device(uint64_t first, uint64_t count, std::vector<TermSum>* sums) {
    const TermArguments arguments = upload_queries(first, count);
    const uint64_t step = documents() ? kDocuments : kRows;
    for (uint32_t s = 0; s < segments_.size(); ++s) {
      if (!on_device(s)) continue;
      const uint64_t end = segments_[s]->first_row + segments_[s]->row_count;
      for (uint64_t row = segments_[s]->first_row; row < end; row += step) {
        stop_if_asked();
        const auto launch = documents() ? launch_sum_document_terms : launch_sum_row_terms;
        check(launch(arguments, s, static_cast<uint32_t>(row),
                     static_cast<uint32_t>(std::min(end, row + step)), work_->stream),
              "adding terms on the device failed");
        work_->stream.wait();
      }
    }
    const SharedTermSum* const found = work_->download(sums_.data(), count);
    work_->stream.wait();
    for (uint64_t q = 0; q < count; ++q) (*sums)[first + q].add(TermSum{found[q].low, found[q].high});
    work_->pinned.reset();
  }

  /// @param of gives what is to be scored for a row and a query
  template <typename Of>
  void sum_on_host(const granule_segment& segment, std::vector<TermSum>* sums, const Of& of) const {
    std::vector<decltype(of(0u, uint64_t{0}))> scored;
    const auto add = [&] {
      score_on_host(search_, &scored);
      for (const auto& one : scored)
        (*sums)[one.query].add(softmax_term(one.score, request_.maxima[one.query], request_.temperature));
      scored.clear();
    };
    const auto first_row = static_cast<uint32_t>(segment.first_row);
    for (uint32_t row = first_row; row < first_row + segment.row_count; ++row) {
      if (!is_allowed(filter_, row)) continue;
      for (uint64_t q = 0; q < search_.query_count; ++q) scored.push_back(of(row, q));
      if (scored.size() >= kHostScores) add();
    }
    add();
  }

  const granule_term_search& request_;
  const granule_search& search_;
  const uint8_t* const filter_;
  const std::vector<const granule_segment*>& segments_;
  // Goes after the workspace, which waits for what uses it.
  const std::shared_ptr<const SnapshotTables> tables_;
  const Device::Lease work_;
  /// |q|^2 of all vectors of queries for squared L2; otherwise empty.
  std::vector<double> query_squared_norms_;
  DeviceArray<uint32_t> query_offsets_;
  DeviceArray<float> maxima_;
  DeviceArray<SharedTermSum> sums_;
};

/// The candidates that the filter allows, as a filter.
std::vector<uint8_t> filter_of_candidates(const granule_search& search) {
  std::vector<uint8_t> out((search.row_count + 7) / 8, 0);
  for (uint64_t i = 0; i < search.candidate_count; ++i) {
    const uint32_t row = search.candidates[i];
    if (is_allowed(search.filter, row)) out[row >> 3] |= static_cast<uint8_t>(1u << (row & 7));
  }
  return out;
}

}  // namespace

void sum_terms(const std::vector<std::unique_ptr<Device>>& devices, const granule_term_search& request,
               granule_term_sum* sums) {
  const granule_search& search = *request.search;
  std::vector<uint8_t> candidates;
  if (search.candidates != nullptr) candidates = filter_of_candidates(search);
  const uint8_t* const filter = search.candidates != nullptr ? candidates.data() : search.filter;
  const auto shares = divide_segments(search, devices.size());
  std::vector<std::vector<TermSum>> found(devices.size());
  for_each_device(devices, [&](std::size_t d) {
    found[d] = DeviceTerms(*devices[d], request, filter, shares[d], devices.size() == 1).run();
  });
  for (uint64_t q = 0; q < search.query_count; ++q) {
    TermSum all;
    for (const std::vector<TermSum>& one : found) all.add(one[q]);
    sums[q] = {all.low, all.high};
  }
}

}  // namespace granule::cuda
