#pragma once

#include <cstdint>

#include "backends/cuda/device_types.h"
#include "core/dtype.h"
#include "core/score.h"

namespace granule::cuda {

/// Query vectors that a block holds at a time: their codes lie in tiles of so many (DeviceLayout), and each
/// query begins a tile of its own.
constexpr unsigned kPanelVectors = 32;

/// One query of a search over documents.
struct DocumentQuery {
  /// Of the panels of codes, of the scan queries, and of the vectors themselves.
  uint32_t first_panel;
  uint32_t first_vector;
  uint32_t vector_count;
  /// 0 where codes do not serve it.
  uint32_t coded;
};

/// Documents and queries of a search. All pointers are the device's.
struct DocumentArguments {
  const SegmentView* segments;
  uint32_t segment_count;
  /// The rows to score, ascending; null: the first row_count.
  const uint32_t* rows;
  uint32_t row_count;
  const uint8_t* filter;
  const DocumentQuery* queries;
  uint32_t query_count;
  const int8_t* query_codes;
  /// kPanelVectors for each panel.
  const ScanQuery* scan_queries;
  /// Of all queries, one after another.
  const float* query_vectors;
  const double* query_squared_norms;
  uint32_t dimension;
  /// 0 where codes serve none of the queries.
  uint32_t coded;
  Metric metric;
  Dtype dtype;
};

/// Where the matches of some documents go: for entry i of a list those of its query's vectors.
struct MatchArrays {
  /// Null: not wanted.
  uint32_t* vectors;
  float* similarities;
  /// Places of one entry.
  uint32_t stride;
};

/// Documents that are to be scored: places in the search, one list for each query.
struct DocumentLists {
  /// `capacity` for each query.
  const uint32_t* places;
  const uint32_t* counts;
  uint32_t capacity;
};

}  // namespace granule::cuda
