#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "backends/backend.h"
#include "backends/cuda/device.h"
#include "backends/cuda/score_rows.cuh"

namespace granule::cuda {

/// A search of rows on one device, and what all ways of answering it share.
class RowSearch {
 public:
  /// Brings the segments to the device where they are not there.
  ///
  /// @param search its segments are ignored
  /// @throws CudaFailure, Damaged
  RowSearch(Device& device, const granule_search& search,
            const std::vector<const granule_segment*>& segments);

  /// Puts the filter on the device, if there is one. It goes there with every search: rows are removed, and
  /// callers change theirs, without a sign of it.
  void upload_filter();
  /// Puts `count` queries, as they are, on the device.
  void upload_queries(uint64_t first, uint32_t count);
  /// Of the queries that were uploaded.
  ScoreArguments score_arguments(uint32_t count) const;

  /// @throws Cancelled
  void stop_if_asked() const;

  const float* query(uint64_t q) const { return request_.query_vectors + q * request_.dimension; }
  /// The place of the segment that holds a row.
  uint32_t segment_with(uint32_t row) const;
  /// Whether the device holds the vectors of a segment.
  bool on_device(uint32_t segment) const { return tables_->residents[segment]->vectors.size() != 0; }

  const granule_search& request() const { return request_; }
  const std::vector<const granule_segment*>& segments() const { return segments_; }
  Device& device() const { return device_; }
  Workspace& work() const { return *work_; }
  /// The filter on the device; null: all rows are allowed.
  const uint8_t* filter() const { return request_.filter != nullptr ? work_->filter.data() : nullptr; }
  const SnapshotTables& tables() const { return *tables_; }

 private:
  Device& device_;
  const granule_search& request_;
  const std::vector<const granule_segment*>& segments_;
  // Goes after the workspace, which waits for what uses it.
  const std::shared_ptr<const SnapshotTables> tables_;
  const Device::Lease work_;
};

}  // namespace granule::cuda
