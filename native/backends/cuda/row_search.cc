#include "backends/cuda/row_search.h"

#include <algorithm>

#include "core/canonical_dot.h"

namespace granule::cuda {

RowSearch::RowSearch(Device& device, const granule_search& search,
                     const std::vector<const granule_segment*>& segments)
    : device_(device),
      request_(search),
      segments_(segments),
      tables_(device.tables(search, segments, false)),
      work_(device.lease()) {
  if (static_cast<Metric>(search.metric) != Metric::squared_l2) return;
  for (uint64_t q = 0; q < search.query_count; ++q)
    query_squared_norms_.push_back(canonical_dot(query(q), query(q), search.dimension));
}

const uint8_t* RowSearch::filter() {
  if (request_.filter == nullptr) return nullptr;
  if (!has_filter_) work_->upload(request_.filter, filter_bytes(), &work_->filter);
  has_filter_ = true;
  return work_->filter.data();
}

void RowSearch::upload_queries(uint64_t first, uint32_t count) {
  work_->upload(query(first), std::size_t{count} * request_.dimension, &work_->queries);
  if (!query_squared_norms_.empty())
    work_->upload(query_squared_norms_.data() + first, count, &work_->query_squared_norms);
}

ScoreArguments RowSearch::score_arguments(uint32_t count) const {
  return {tables_->segments.data(),
          tables_->segment_count(),
          work_->queries.data(),
          query_squared_norms_.empty() ? nullptr : work_->query_squared_norms.data(),
          count,
          request_.dimension,
          static_cast<Metric>(request_.metric),
          static_cast<Dtype>(request_.dtype)};
}

HostRow RowSearch::host_row(uint32_t row, uint64_t q) const {
  return {segments_[segment_with(row)], row, q, query_squared_norms_.empty() ? 0.0 : query_squared_norms_[q],
          0};
}

void RowSearch::stop_if_asked() const {
  if (request_.cancelled(request_.cancelled_context) != 0) throw Cancelled();
}

uint32_t RowSearch::segment_with(uint32_t row) const {
  const auto after =
      std::upper_bound(segments_.begin(), segments_.end(), row,
                       [](uint32_t r, const granule_segment* segment) { return r < segment->first_row; });
  return static_cast<uint32_t>(after - segments_.begin()) - 1;
}

}  // namespace granule::cuda
