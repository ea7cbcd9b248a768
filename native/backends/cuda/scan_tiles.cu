#include "backends/cuda/device_layout.h"
#include "backends/cuda/instructions.cuh"
#include "backends/cuda/scan_epilogue.cuh"
#include "backends/cuda/scan_tiles.cuh"
#include "backends/cuda/shared_memory.h"

namespace granule::cuda {
namespace {

constexpr unsigned kThreads = 256;
constexpr unsigned kWarpsOfRows = 2;
constexpr unsigned kWarpsOfQueries = 4;
constexpr unsigned kRowsOfWarp = DeviceLayout::kTileRows / kWarpsOfRows;
/// Rows and queries of one matrix instruction.
constexpr unsigned kRows = 16;
constexpr unsigned kQueries = 8;
constexpr unsigned kRowTiles = kRowsOfWarp / kRows;
/// Steps that are on their way from memory while one is multiplied.
constexpr unsigned kStages = 3;
constexpr unsigned kSmallTile = 64;
constexpr unsigned kLargeTile = 256;

/// What a block keeps in shared memory besides the codes.
template <unsigned kTileQueries>
struct Factors {
  ScanQuery queries[kTileQueries];
  uint32_t thresholds[kTileQueries];
  RowFactors rows[DeviceLayout::kTileRows];
};

template <unsigned kTileQueries>
struct Shape {
  static constexpr unsigned kQueriesOfWarp = kTileQueries / kWarpsOfQueries;
  static constexpr unsigned kQueryTiles = kQueriesOfWarp / kQueries;
  static constexpr unsigned kRowBytes = DeviceLayout::kTileRows * DeviceLayout::kStep;
  static constexpr unsigned kQueryBytes = kTileQueries * DeviceLayout::kStep;
  static constexpr unsigned kStageBytes = kRowBytes + kQueryBytes;
  static constexpr std::size_t kSharedBytes =
      std::size_t{kStages} * kStageBytes + sizeof(Factors<kTileQueries>);
};

/// Brings one step of the rows' and of the queries' codes into a stage; both are consecutive in memory.
template <unsigned kTileQueries>
__device__ void fetch(unsigned char* stage, const int8_t* rows, const int8_t* queries) {
  using S = Shape<kTileQueries>;
  for (unsigned at = threadIdx.x * 16; at < S::kRowBytes; at += kThreads * 16)
    copy_16_async(stage + at, rows + at);
  for (unsigned at = threadIdx.x * 16; at < S::kQueryBytes; at += kThreads * 16)
    copy_16_async(stage + S::kRowBytes + at, queries + at);
}

/// A block multiplies one tile of rows with one tile of queries; eight warps share it, 64 rows and a quarter
/// of the queries each. In a step of 64 dimensions a lane holds sixteen bytes of a row and of a query, those
/// of chunk lane % 4: an instruction takes two words of each, so that bytes of one dimension meet, whichever
/// order the dimensions come in.
template <unsigned kTileQueries>
__global__ void __launch_bounds__(kThreads, 1) scan_tiles(const ScanArguments scan) {
  using S = Shape<kTileQueries>;
  unsigned char* const stages = dynamic_shared_memory();
  Factors<kTileQueries>& factors =
      *reinterpret_cast<Factors<kTileQueries>*>(stages + kStages * S::kStageBytes);
  const unsigned query_tiles = (scan.query_count + kTileQueries - 1) / kTileQueries;
  // Blocks that run at the same time share their rows, which the cache then holds.
  const uint32_t tile = scan.first_tile + blockIdx.x / query_tiles;
  const uint32_t first_query = blockIdx.x % query_tiles * kTileQueries;
  const SegmentView& segment = scan.segments[scan.segment_of_tile[tile]];
  const uint32_t first_row = (tile - segment.first_tile) * DeviceLayout::kTileRows;
  const std::size_t tile_bytes = std::size_t{scan.steps} * DeviceLayout::kStep;
  const int8_t* const rows = segment.codes + static_cast<std::size_t>(first_row) * tile_bytes;
  const int8_t* const queries = scan.query_codes + static_cast<std::size_t>(first_query) * tile_bytes;

  for (unsigned stage = 0; stage < kStages - 1; ++stage) {
    if (stage < scan.steps)
      fetch<kTileQueries>(stages + stage * S::kStageBytes, rows + stage * S::kRowBytes,
                          queries + stage * S::kQueryBytes);
    commit_copies();
  }
  for (unsigned q = threadIdx.x; q < kTileQueries; q += kThreads) {
    const bool there = first_query + q < scan.query_count;
    factors.queries[q] = there ? scan.queries[first_query + q] : ScanQuery{};
    factors.thresholds[q] = there ? scan.thresholds[first_query + q] : 0xffffffffu;
  }
  for (unsigned r = threadIdx.x; r < DeviceLayout::kTileRows; r += kThreads)
    factors.rows[r] = row_factors(segment, first_row + r);

  const unsigned lane = lane_index();
  const unsigned row_of_warp = warp_index() / kWarpsOfQueries * kRowsOfWarp;
  const unsigned query_of_warp = warp_index() % kWarpsOfQueries * S::kQueriesOfWarp;
  // Of the sixteen bytes of a lane within a group of eight rows.
  const unsigned place =
      lane % 4 * (DeviceLayout::kGroupRows * DeviceLayout::kChunk) + lane / 4 * DeviceLayout::kChunk;
  int sums[kRowTiles][S::kQueryTiles][4] = {};
  for (unsigned step = 0; step < scan.steps; ++step) {
    wait_for_copies<kStages - 2>();
    __syncthreads();
    if (const unsigned next = step + kStages - 1; next < scan.steps) {
      fetch<kTileQueries>(stages + next % kStages * S::kStageBytes,
                          rows + static_cast<std::size_t>(next) * S::kRowBytes,
                          queries + static_cast<std::size_t>(next) * S::kQueryBytes);
    }
    commit_copies();
    const unsigned char* const stage = stages + step % kStages * S::kStageBytes;
    const unsigned char* const own_rows =
        stage + row_of_warp / DeviceLayout::kGroupRows * DeviceLayout::kGroupBytes + place;
    const unsigned char* const own_queries =
        stage + S::kRowBytes + query_of_warp / DeviceLayout::kGroupRows * DeviceLayout::kGroupBytes + place;
    int4 row_codes[kRowTiles][2];
#pragma unroll
    for (unsigned i = 0; i < kRowTiles; ++i) {
#pragma unroll
      for (unsigned half = 0; half < 2; ++half)
        row_codes[i][half] =
            *reinterpret_cast<const int4*>(own_rows + (2 * i + half) * DeviceLayout::kGroupBytes);
    }
#pragma unroll
    for (unsigned j = 0; j < S::kQueryTiles; ++j) {
      const int4 query_codes = *reinterpret_cast<const int4*>(own_queries + j * DeviceLayout::kGroupBytes);
      const int first[2] = {query_codes.x, query_codes.y};
      const int second[2] = {query_codes.z, query_codes.w};
#pragma unroll
      for (unsigned i = 0; i < kRowTiles; ++i) {
        const int4& upper = row_codes[i][0];
        const int4& lower = row_codes[i][1];
        const int first_rows[4] = {upper.x, lower.x, upper.y, lower.y};
        const int second_rows[4] = {upper.z, lower.z, upper.w, lower.w};
        multiply_16x8x32(sums[i][j], first_rows, first);
        multiply_16x8x32(sums[i][j], second_rows, second);
      }
    }
  }

#pragma unroll
  for (unsigned i = 0; i < kRowTiles; ++i) {
#pragma unroll
    for (unsigned half = 0; half < 2; ++half) {
      const unsigned r = row_of_warp + i * kRows + half * 8 + lane / 4;
      if (first_row + r >= segment.row_count) continue;
      const RowFactors row = factors.rows[r];
#pragma unroll
      for (unsigned j = 0; j < S::kQueryTiles; ++j) {
#pragma unroll
        for (unsigned side = 0; side < 2; ++side) {
          const unsigned q = query_of_warp + j * kQueries + lane % 4 * 2 + side;
          take_where_reached(scan, first_query + q, factors.queries[q], factors.thresholds[q],
                             sums[i][j][half * 2 + side], row, segment.first_row + first_row + r);
        }
      }
    }
  }
}

template <unsigned kTileQueries>
cudaError_t run(const ScanArguments& scan, cudaStream_t stream) {
  constexpr std::size_t kShared = Shape<kTileQueries>::kSharedBytes;
  if (const cudaError_t error =
          allow_shared_memory(reinterpret_cast<const void*>(scan_tiles<kTileQueries>), kShared);
      error != cudaSuccess) {
    return error;
  }
  const unsigned query_tiles = (scan.query_count + kTileQueries - 1) / kTileQueries;
  return launch(scan_tiles<kTileQueries>, dim3((scan.end_tile - scan.first_tile) * query_tiles),
                dim3(kThreads), kShared, stream, scan);
}

}  // namespace

unsigned scan_tiles_queries(uint32_t query_count) {
  return query_count <= kSmallTile ? kSmallTile : kLargeTile;
}

cudaError_t launch_scan_tiles(const ScanArguments& scan, cudaStream_t stream) {
  return scan_tiles_queries(scan.query_count) == kSmallTile ? run<kSmallTile>(scan, stream)
                                                            : run<kLargeTile>(scan, stream);
}

}  // namespace granule::cuda
