#include "backends/cuda/query_codes.h"

#include <algorithm>

#include "backends/coded_queries.h"
#include "backends/cuda/device_layout.h"
#include "backends/cuda/scan_tiles.cuh"

namespace granule::cuda {
namespace {

/// Queries up to which a scan is bound by memory.
constexpr uint32_t kStreamQueries = 8;
constexpr uint32_t kTwoPlaneQueries = 4;

std::size_t row_bytes(uint32_t dimension) {
  return std::size_t{DeviceLayout::steps(dimension)} * DeviceLayout::kStep;
}

}  // namespace

ScanPlan plan_scan(uint32_t query_count, uint32_t dimension, std::size_t shared_memory) {
  const auto fitting = static_cast<uint32_t>(shared_memory / row_bytes(dimension));
  if (query_count <= kStreamQueries && fitting >= 2 * kStreamQueries)
    return {true, query_count <= kTwoPlaneQueries ? 2u : 1u, query_count};
  if (query_count <= kStreamQueries && fitting >= 2) {
    // Long vectors: as many as shared memory holds, in powers of two as the kernel has them.
    const uint32_t at_a_time = fitting >= 8 ? 8 : fitting >= 4 ? 4 : 2;
    return {true, 1, std::min(query_count, at_a_time)};
  }
  return {false, 1, query_count};
}

QueryCodes::QueryCodes(const float* vectors, uint32_t count, uint32_t dimension, Metric metric,
                       const ScanPlan& plan)
    : queries(count), thresholds(count, 0) {
  const CodedQueries coded(vectors, count, dimension, metric, static_cast<int>(plan.planes));
  const std::size_t plane_bytes = coded.query_bytes / plan.planes;
  if (plan.stream) {
    codes.assign(row_bytes(dimension) * plan.planes * count, 0);
    for (std::size_t p = 0; p < std::size_t{count} * plan.planes; ++p)
      std::copy_n(coded.codes.data() + p * plane_bytes, plane_bytes, codes.data() + p * row_bytes(dimension));
  } else {
    const unsigned tile = scan_tiles_queries(count);
    codes.assign(DeviceLayout::tiles(count, tile) * DeviceLayout::tile_bytes(dimension, tile), 0);
    for (uint32_t q = 0; q < count; ++q) {
      int8_t* const out = codes.data() + q / tile * DeviceLayout::tile_bytes(dimension, tile);
      for (uint32_t i = 0; i < plane_bytes; i += 4)
        std::copy_n(coded.codes_of(q) + i, 4, out + DeviceLayout::offset(q % tile, i, tile));
    }
  }
  for (uint32_t q = 0; q < count; ++q) {
    const CodeQuery& from = coded.queries[q];
    queries[q] = {from.scale,       from.fine_scale, from.norm_factor, from.residual_factor,
                  from.bias_factor, from.shift,      from.slack};
    if (coded.usable[q] != 0) continue;
    thresholds[q] = kUnreached;
    unserved.push_back(q);
  }
}

}  // namespace granule::cuda
