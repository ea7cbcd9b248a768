#pragma once

#include "backends/cuda/device_layout.h"
#include "backends/cuda/document_arguments.h"
#include "backends/cuda/instructions.cuh"

// Codes of one document's vectors against a panel of query vectors, with the matrix instructions: what the
// bounds of documents and the search for rivals have in common.

namespace granule::cuda {

constexpr unsigned kPanelThreads = 128;
constexpr unsigned kPanelWarps = kPanelThreads / kWarpLanes;
/// Query vectors of one matrix instruction, and instructions side by side.
constexpr unsigned kPanelColumns = 8;
constexpr unsigned kPanelTiles = kPanelVectors / kPanelColumns;

/// A document's vectors in its segment.
struct DocumentRange {
  const SegmentView* segment;
  uint32_t index;
  uint32_t begin;
  uint32_t end;
};

__device__ inline DocumentRange document_at(const DocumentArguments& search, uint32_t row) {
  uint32_t low = 0;
  uint32_t high = search.segment_count;
  while (high - low > 1) {
    const uint32_t middle = low + (high - low) / 2;
    (search.segments[middle].first_row <= row ? low : high) = middle;
  }
  const SegmentView* const segment = search.segments + low;
  const uint32_t index = row - segment->first_row;
  return {segment, index, static_cast<uint32_t>(segment->row_offsets[index]),
          static_cast<uint32_t>(segment->row_offsets[index + 1])};
}

/// Brings a panel's codes and factors into shared memory, for all threads of a block.
__device__ inline void load_panel(const DocumentArguments& search, uint32_t panel, int4* codes,
                                  ScanQuery* queries) {
  const unsigned steps = DeviceLayout::steps(search.dimension);
  const unsigned words = steps * DeviceLayout::kStep * kPanelVectors / sizeof(int4);
  const int4* const from = reinterpret_cast<const int4*>(
      search.query_codes + static_cast<std::size_t>(panel) * words * sizeof(int4));
  for (unsigned i = threadIdx.x; i < words; i += kPanelThreads) codes[i] = from[i];
  for (unsigned v = threadIdx.x; v < kPanelVectors; v += kPanelThreads)
    queries[v] = search.scan_queries[static_cast<std::size_t>(panel) * kPanelVectors + v];
}

/// Calls take(v, vector, interval) for every vector of a document and every query vector of a panel: v counts
/// the panel's, of which those beyond the query's are zeros. All threads of a block come here; each gets its
/// own share.
template <typename Take>
__device__ void for_each_interval(const DocumentArguments& search, const DocumentRange& document,
                                  const int4* codes, const ScanQuery* queries, const Take& take) {
  const SegmentView& segment = *document.segment;
  const unsigned steps = DeviceLayout::steps(search.dimension);
  const unsigned lane = lane_index();
  const unsigned place =
      lane % 4 * (DeviceLayout::kGroupRows * DeviceLayout::kChunk) + lane / 4 * DeviceLayout::kChunk;
  const int8_t* const panel = reinterpret_cast<const int8_t*>(codes) + place;
  const std::size_t tile_bytes = std::size_t{steps} * DeviceLayout::kStep * DeviceLayout::kTileRows;
  constexpr unsigned kStepBytes = DeviceLayout::kStep * DeviceLayout::kTileRows;
  constexpr unsigned kRows = 2 * DeviceLayout::kGroupRows;
  // From the group of eight rows in which the document begins.
  const uint32_t aligned = document.begin / DeviceLayout::kGroupRows * DeviceLayout::kGroupRows;
  for (uint32_t first = aligned + warp_index() * kRows; first < document.end; first += kPanelWarps * kRows) {
    const int8_t* group[2];
#pragma unroll
    for (unsigned half = 0; half < 2; ++half) {
      // A second group that lies behind the document is read for nothing, but it is there: tiles are whole.
      const uint32_t row = first + half * DeviceLayout::kGroupRows;
      const uint32_t safe = row < document.end ? row : first;
      group[half] = segment.codes + safe / DeviceLayout::kTileRows * tile_bytes +
                    safe % DeviceLayout::kTileRows / DeviceLayout::kGroupRows * DeviceLayout::kGroupBytes +
                    place;
    }
    int sums[kPanelTiles][4] = {};
#pragma unroll 2
    for (unsigned step = 0; step < steps; ++step) {
      const int4 upper =
          __ldg(reinterpret_cast<const int4*>(group[0] + static_cast<std::size_t>(step) * kStepBytes));
      const int4 lower =
          __ldg(reinterpret_cast<const int4*>(group[1] + static_cast<std::size_t>(step) * kStepBytes));
      const int first_rows[4] = {upper.x, lower.x, upper.y, lower.y};
      const int second_rows[4] = {upper.z, lower.z, upper.w, lower.w};
#pragma unroll
      for (unsigned j = 0; j < kPanelTiles; ++j) {
        const int4 own = *reinterpret_cast<const int4*>(panel + step * DeviceLayout::kStep * kPanelVectors +
                                                        j * DeviceLayout::kGroupBytes);
        const int first_queries[2] = {own.x, own.y};
        const int second_queries[2] = {own.z, own.w};
        multiply_16x8x32(sums[j], first_rows, first_queries);
        multiply_16x8x32(sums[j], second_rows, second_queries);
      }
    }
#pragma unroll
    for (unsigned half = 0; half < 2; ++half) {
      const uint32_t row = first + half * DeviceLayout::kGroupRows + lane / 4;
      if (row < document.begin || row >= document.end) continue;
      const float row_scale = segment.scales[row];
      const float residual_norm = segment.residual_norms[row];
      const float code_norm = segment.code_norms[row];
      const float bias = segment.biases != nullptr ? segment.biases[row] : 0.0f;
#pragma unroll
      for (unsigned j = 0; j < kPanelTiles; ++j) {
#pragma unroll
        for (unsigned side = 0; side < 2; ++side) {
          const unsigned v = j * kPanelColumns + lane % 4 * 2 + side;
          const float product = static_cast<float>(sums[j][half * 2 + side]) * (queries[v].scale * row_scale);
          take(j * 2 + side, v, row - document.begin,
               interval_of(product, queries[v], residual_norm, code_norm, bias));
        }
      }
    }
  }
}

/// The greatest ends of the intervals of a document's vectors, for each query vector of a panel: in `maxima`
/// for all threads of the block, which come here together.
struct PanelMaxima {
  float uppers[kPanelWarps][kPanelVectors];
  float lowers[kPanelWarps][kPanelVectors];
};

__device__ inline float greater(float a, float b) { return a > b ? a : b; }

__device__ inline void find_panel_maxima(const DocumentArguments& search, const DocumentRange& document,
                                         const int4* codes, const ScanQuery* queries, PanelMaxima* maxima) {
  constexpr unsigned kColumns = kPanelTiles * 2;
  float uppers[kColumns];
  float lowers[kColumns];
#pragma unroll
  for (unsigned c = 0; c < kColumns; ++c) uppers[c] = lowers[c] = __uint_as_float(0xff800000u);
  for_each_interval(search, document, codes, queries,
                    [&](unsigned column, unsigned, uint32_t, const Interval& interval) {
                      uppers[column] = greater(interval.upper, uppers[column]);
                      lowers[column] = greater(interval.lower, lowers[column]);
                    });
#pragma unroll
  for (unsigned c = 0; c < kColumns; ++c) {
#pragma unroll
    for (int distance = 4; distance < 32; distance *= 2) {
      uppers[c] = greater(uppers[c], __shfl_xor_sync(kAllLanes, uppers[c], distance));
      lowers[c] = greater(lowers[c], __shfl_xor_sync(kAllLanes, lowers[c], distance));
    }
  }
  const unsigned lane = lane_index();
#pragma unroll
  for (unsigned c = 0; c < kColumns; ++c) {
    if (lane >= 4) continue;
    const unsigned v = c / 2 * kPanelColumns + lane * 2 + c % 2;
    maxima->uppers[warp_index()][v] = uppers[c];
    maxima->lowers[warp_index()][v] = lowers[c];
  }
  __syncthreads();
  if (threadIdx.x < kPanelVectors) {
    float upper = maxima->uppers[0][threadIdx.x];
    float lower = maxima->lowers[0][threadIdx.x];
    for (unsigned warp = 1; warp < kPanelWarps; ++warp) {
      upper = greater(upper, maxima->uppers[warp][threadIdx.x]);
      lower = greater(lower, maxima->lowers[warp][threadIdx.x]);
    }
    maxima->uppers[0][threadIdx.x] = upper;
    maxima->lowers[0][threadIdx.x] = lower;
  }
  __syncthreads();
}

}  // namespace granule::cuda
