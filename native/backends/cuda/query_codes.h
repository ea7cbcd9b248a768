#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "backends/cuda/device_types.h"
#include "core/score.h"

namespace granule::cuda {

/// How the queries of a scan are coded and how many go at a time.
struct ScanPlan {
  /// Bound by memory (scan_stream.cuh), otherwise by arithmetic (scan_tiles.cuh).
  bool stream;
  unsigned planes;
  /// Queries of one launch.
  uint32_t queries;
};

/// @param shared_memory bytes that a block may have
ScanPlan plan_scan(uint32_t query_count, uint32_t dimension, std::size_t shared_memory);

/// Queries as the scans of a plan want them.
struct QueryCodes {
  QueryCodes(const float* vectors, uint32_t count, uint32_t dimension, Metric metric, const ScanPlan& plan);

  std::vector<int8_t> codes;
  std::vector<ScanQuery> queries;
  /// Thresholds to begin with: 0, and for queries that codes do not serve one that no row reaches.
  std::vector<uint32_t> thresholds;
  /// Those that codes do not serve.
  std::vector<uint32_t> unserved;
};

/// No row reaches it.
constexpr uint32_t kUnreached = 0xffffffffu;

}  // namespace granule::cuda
