#include "backends/cuda/scan_shares.h"

#include <algorithm>

#include "backends/cuda/cuda_failure.h"
#include "backends/cuda/device_layout.h"
#include "backends/cuda/scan_stream.cuh"

namespace granule::cuda {
namespace {

/// Candidates of a query beside those that a share of the rows brings on average.
constexpr uint32_t kLeastCapacity = 4096;
/// Tiles of the first share.
constexpr uint32_t kFirstTiles = 16;
/// How much larger each share is than those before it together.
constexpr uint32_t kGrowth = 8;

uint32_t first_tiles(uint32_t k) {
  return std::max<uint32_t>(kFirstTiles, static_cast<uint32_t>(DeviceLayout::tiles(std::size_t{4} * k)));
}

}  // namespace

std::vector<TileRange> scan_shares(uint32_t tiles, uint32_t k) {
  std::vector<TileRange> out;
  for (uint32_t begin = 0; begin < tiles;) {
    const auto end = static_cast<uint32_t>(
        std::min<uint64_t>(tiles, begin == 0 ? first_tiles(k) : uint64_t{begin} * kGrowth));
    out.push_back({begin, end});
    begin = end;
  }
  return out;
}

uint32_t candidate_capacity(uint32_t k, uint64_t row_count) {
  const uint64_t wanted =
      std::max<uint64_t>(kLeastCapacity, 2 * uint64_t{first_tiles(k)} * DeviceLayout::kTileRows) +
      16 * uint64_t{k};
  return static_cast<uint32_t>(std::min<uint64_t>(wanted, row_count + DeviceLayout::kTileRows));
}

void stream_tiles(const ScanArguments& scan, const ScanPlan& plan, unsigned multiprocessors,
                  cudaStream_t stream) {
  for (uint32_t q = 0; q < scan.query_count; q += plan.queries) {
    ScanArguments part = scan;
    part.query_count = std::min(plan.queries, scan.query_count - q);
    part.query_codes += std::size_t{q} * plan.planes * scan.steps * DeviceLayout::kStep;
    part.queries += q;
    part.thresholds += q;
    part.lists.candidates += std::size_t{q} * scan.lists.capacity;
    part.lists.counts += q;
    const unsigned blocks = std::min(scan_stream_blocks(multiprocessors), scan.end_tile - scan.first_tile);
    check(launch_scan_stream(part, plan.planes, blocks, stream), "the scan failed");
  }
}

}  // namespace granule::cuda
