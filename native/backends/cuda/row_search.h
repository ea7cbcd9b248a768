#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "backends/backend.h"
#include "backends/cuda/device.h"
#include "backends/cuda/host_scores.h"
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
  /// The filter on the device; null: all rows are allowed. It goes there with every search: rows are removed,
  /// and callers change theirs, without a sign of it.
  const uint8_t* filter();
  std::size_t filter_bytes() const { return request_.filter != nullptr ? (request_.row_count + 7) / 8 : 0; }
  const std::shared_ptr<const SnapshotTables>& shared_tables() const { return tables_; }
  const SnapshotTables& tables() const { return *tables_; }
  /// |q|^2 in float64 of all queries for squared L2; otherwise empty.
  const std::vector<double>& query_squared_norms() const { return query_squared_norms_; }
  /// A row to be scored on the host.
  HostRow host_row(uint32_t row, uint64_t q) const;

 private:
  Device& device_;
  const granule_search& request_;
  const std::vector<const granule_segment*>& segments_;
  // Goes after the workspace, which waits for what uses it.
  const std::shared_ptr<const SnapshotTables> tables_;
  const Device::Lease work_;
  std::vector<double> query_squared_norms_;
  bool has_filter_ = false;
};

}  // namespace granule::cuda
