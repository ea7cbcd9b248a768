#include "backends/cuda/row_search.h"

#include <algorithm>

#include "backends/cuda/device_layout.h"
#include "core/canonical_dot.h"

namespace granule::cuda {

RowSearch::RowSearch(Device& device, const granule_search& search,
                     const std::vector<const granule_segment*>& segments)
    : device_(device), request_(search), segments_(segments), work_(device.lease()) {
  uint32_t tiles = 0;
  for (const granule_segment* segment : segments_) {
    residents_.push_back(device.segments().ensure(search, *segment));
    views_.push_back(residents_.back()->view(*segment, tiles));
    const auto own = static_cast<uint32_t>(DeviceLayout::tiles(segment->row_count));
    segment_of_tile_.insert(segment_of_tile_.end(), own, static_cast<uint32_t>(views_.size() - 1));
    tiles += own;
    row_count_ += segment->row_count;
    in_range_ = in_range_ && residents_.back()->in_range;
  }
}

void RowSearch::upload_tables() {
  work_->upload(views_.data(), views_.size(), &work_->segments);
  work_->upload(segment_of_tile_.data(), segment_of_tile_.size(), &work_->segment_of_tile);
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
  return {work_->segments.data(),
          static_cast<uint32_t>(views_.size()),
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
