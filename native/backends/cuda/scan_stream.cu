#include "backends/cuda/device_layout.h"
#include "backends/cuda/instructions.cuh"
#include "backends/cuda/scan_stream.cuh"
#include "backends/cuda/shared_memory.h"

namespace granule::cuda {
namespace {

constexpr unsigned kThreads = 256;
constexpr unsigned kBlocksPerMultiprocessor = 8;
constexpr unsigned kChunksPerStep = DeviceLayout::kStep / DeviceLayout::kChunk;

/// A warp takes eight rows at a time: lane l holds sixteen bytes of row l % 8, chunk l / 8, of each step.
template <unsigned kPlanes, unsigned kQueries>
__global__ void __launch_bounds__(kThreads) scan_stream(const ScanArguments scan) {
  constexpr unsigned kVectors = kPlanes * kQueries;
  int4* const codes = reinterpret_cast<int4*>(dynamic_shared_memory());
  const unsigned chunks = scan.steps * kChunksPerStep;
  for (unsigned i = threadIdx.x; i < kVectors * chunks; i += kThreads) {
    codes[i] = i < scan.query_count * kPlanes * chunks ? reinterpret_cast<const int4*>(scan.query_codes)[i]
                                                       : int4{0, 0, 0, 0};
  }
  __syncthreads();

  const unsigned lane = lane_index();
  const unsigned row_of_lane = lane % DeviceLayout::kGroupRows;
  const unsigned chunk_of_lane = lane / DeviceLayout::kGroupRows;
  constexpr unsigned kWarps = kThreads / kWarpLanes;
  constexpr unsigned kGroups = DeviceLayout::kTileRows / DeviceLayout::kGroupRows;
  for (uint32_t tile = scan.first_tile + blockIdx.x; tile < scan.end_tile; tile += gridDim.x) {
    const SegmentView& segment = scan.segments[scan.segment_of_tile[tile]];
    const uint32_t tile_of_segment = tile - segment.first_tile;
    const int8_t* const tile_codes = segment.codes + static_cast<std::size_t>(tile_of_segment) * scan.steps *
                                                         DeviceLayout::kStep * DeviceLayout::kTileRows;
    for (unsigned group = warp_index(); group < kGroups; group += kWarps) {
      const uint32_t row =
          tile_of_segment * DeviceLayout::kTileRows + group * DeviceLayout::kGroupRows + row_of_lane;
      const int8_t* const own = tile_codes + group * DeviceLayout::kGroupBytes + lane * DeviceLayout::kChunk;
      int sums[kVectors] = {};
#pragma unroll 4
      for (unsigned step = 0; step < scan.steps; ++step) {
        const int4 bytes =
            __ldg(reinterpret_cast<const int4*>(own + step * DeviceLayout::kStep * DeviceLayout::kTileRows));
#pragma unroll
        for (unsigned v = 0; v < kVectors; ++v)
          sums[v] = dot_16(bytes, codes[v * chunks + step * kChunksPerStep + chunk_of_lane], sums[v]);
      }
#pragma unroll
      for (unsigned v = 0; v < kVectors; ++v) {
        sums[v] += __shfl_xor_sync(kAllLanes, sums[v], 8);
        sums[v] += __shfl_xor_sync(kAllLanes, sums[v], 16);
      }
      if (row >= segment.row_count) continue;
      const float row_scale = segment.scales[row];
      const float residual_norm = segment.residual_norms[row];
      const float code_norm = segment.code_norms[row];
      const float bias = segment.biases != nullptr ? segment.biases[row] : 0.0f;
#pragma unroll
      for (unsigned q = 0; q < kQueries; ++q) {
        // The four lanes of a row share the queries.
        if (q % 4 != chunk_of_lane || q >= scan.query_count) continue;
        const ScanQuery& query = scan.queries[q];
        const float product = kPlanes == 2
                                  ? (static_cast<float>(sums[q * kPlanes]) * query.scale +
                                     static_cast<float>(sums[q * kPlanes + kPlanes - 1]) * query.fine_scale) *
                                        row_scale
                                  : static_cast<float>(sums[q]) * (query.scale * row_scale);
        const Interval interval = interval_of(product, query, residual_norm, code_norm, bias);
        if (ordered_key(__float_as_uint(interval.upper)) >= scan.thresholds[q])
          take_candidate(scan, q, segment.first_row + row, interval);
      }
    }
  }
}

template <unsigned kPlanes, unsigned kQueries>
cudaError_t run(const ScanArguments& scan, unsigned blocks, cudaStream_t stream) {
  const std::size_t shared = std::size_t{kPlanes} * kQueries * scan.steps * DeviceLayout::kStep;
  if (const cudaError_t error =
          allow_shared_memory(reinterpret_cast<const void*>(scan_stream<kPlanes, kQueries>), shared);
      error != cudaSuccess) {
    return error;
  }
  return launch(scan_stream<kPlanes, kQueries>, dim3(blocks), dim3(kThreads), shared, stream, scan);
}

}  // namespace

unsigned scan_stream_blocks(unsigned multiprocessors) { return multiprocessors * kBlocksPerMultiprocessor; }

cudaError_t launch_scan_stream(const ScanArguments& scan, unsigned planes, unsigned blocks,
                               cudaStream_t stream) {
  if (planes == 2) {
    if (scan.query_count == 1) return run<2, 1>(scan, blocks, stream);
    if (scan.query_count <= 2) return run<2, 2>(scan, blocks, stream);
    return run<2, 4>(scan, blocks, stream);
  }
  if (scan.query_count <= 2) return run<1, 2>(scan, blocks, stream);
  if (scan.query_count <= 4) return run<1, 4>(scan, blocks, stream);
  return run<1, 8>(scan, blocks, stream);
}

}  // namespace granule::cuda
