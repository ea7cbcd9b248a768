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
      work_(device.lease()) {}

void RowSearch::upload_filter() {
  if (request_.filter != nullptr)
    work_->upload(request_.filter, (request_.row_count + 7) / 8, &work_->filter);
}

void RowSearch::upload_queries(uint64_t first, uint32_t count) {
  work_->upload(query(first), std::size_t{count} * request_.dimension, &work_->queries);
  if (static_cast<Metric>(request_.metric) != Metric::squared_l2) return;
  std::vector<double> norms(count);
  for (uint32_t q = 0; q < count; ++q)
    norms[q] = canonical_dot(query(first + q), query(first + q), request_.dimension);
  work_->upload(norms.data(), norms.size(), &work_->query_squared_norms);
}

ScoreArguments RowSearch::score_arguments(uint32_t count) const {
  const bool squared = static_cast<Metric>(request_.metric) == Metric::squared_l2;
  return {tables_->segments.data(),
          tables_->segment_count(),
          work_->queries.data(),
          squared ? work_->query_squared_norms.data() : nullptr,
          count,
          request_.dimension,
          static_cast<Metric>(request_.metric),
          static_cast<Dtype>(request_.dtype)};
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
