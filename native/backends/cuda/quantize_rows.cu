#include "backends/cuda/device_layout.h"
#include "backends/cuda/instructions.cuh"
#include "backends/cuda/quantize_rows.cuh"
#include "backends/cuda/stored_number.h"
#include "core/code_layout.h"

namespace granule::cuda {
namespace {

constexpr unsigned kThreads = 256;
/// Lanes that share a row: lane l has numbers l, l + 16, ...
constexpr unsigned kRowLanes = 16;

__device__ float round_up(double value) {
  const double guarded = value * (1.0 + 1e-12);
  const float nearest = static_cast<float>(guarded);
  if (static_cast<double>(nearest) >= guarded) return nearest;
  // The next float32 of one that is not negative.
  return float_of_bits(bits_of_float(nearest) + 1);
}

__device__ int code_of(float value, float inverse) {
  constexpr float kRound = 12582912.0f;
  const float scaled = value * inverse;
  const float clamped = scaled > 127.0f ? 127.0f : scaled < -127.0f ? -127.0f : scaled;
  return static_cast<int>((clamped + kRound) - kRound);
}

__device__ bool in_range(float scale) { return scale == 0 || (scale >= 0x1p-40f && scale <= 0x1p40f); }

__global__ void __launch_bounds__(kThreads)
    quantize_rows(const void* vectors, const Dtype dtype, const uint32_t dimension, const uint32_t first,
                  const uint32_t end, const CodedRows out, uint32_t* out_of_range) {
  const unsigned lane = threadIdx.x % kRowLanes;
  const uint32_t row = first + blockIdx.x * (kThreads / kRowLanes) + threadIdx.x / kRowLanes;
  const bool there = row < end;
  const std::size_t begin = static_cast<std::size_t>(there ? row - first : 0) * dimension;
  float largest = 0;
  for (uint32_t i = lane; there && i < dimension; i += kRowLanes) {
    const float value = stored_number(vectors, dtype, begin + i);
    const float magnitude = value < 0 ? -value : value;
    largest = magnitude > largest ? magnitude : largest;
  }
#pragma unroll
  for (int distance = 8; distance > 0; distance /= 2) {
    const float other = __shfl_xor_sync(kAllLanes, largest, distance);
    largest = other > largest ? other : largest;
  }
  const float scale = largest / 127.0f;
  const bool usable = in_range(scale);
  const float inverse = usable && scale > 0 ? 1.0f / scale : 0.0f;
  float squares = 0;
  int squared_codes = 0;
  const std::size_t tile = row / DeviceLayout::kTileRows * DeviceLayout::tile_bytes(dimension);
  const uint32_t padded = DeviceLayout::steps(dimension) * DeviceLayout::kStep;
  for (uint32_t i = lane; there && i < padded; i += kRowLanes) {
    int code = 0;
    if (i < dimension) {
      const float value = stored_number(vectors, dtype, begin + i);
      code = code_of(value, inverse);
      const float difference = value - scale * static_cast<float>(code);
      squares = squares + difference * difference;
      squared_codes += code * code;
    }
    out.codes[tile + DeviceLayout::offset(row % DeviceLayout::kTileRows, i)] = static_cast<int8_t>(code);
  }
  double sum = 0;
#pragma unroll
  for (int l = 0; l < static_cast<int>(kRowLanes); ++l) {
    sum += static_cast<double>(
        __shfl_sync(kAllLanes, squares, static_cast<int>(lane_index() / kRowLanes * kRowLanes) + l));
  }
#pragma unroll
  for (int distance = 8; distance > 0; distance /= 2)
    squared_codes += __shfl_xor_sync(kAllLanes, squared_codes, distance);
  if (!there || lane != 0) return;
  if (!usable) *out_of_range = 1;
  const double d = dimension;
  const double summed = sqrt(sum * (1.0 + (d / 16 + 4) * 0x1p-23));
  out.scales[row] = scale;
  out.residual_norms[row] = round_up(summed + static_cast<double>(scale) * 0x1p-16 * (sqrt(d) + 1.0));
  out.code_norms[row] = round_up(static_cast<double>(scale) * sqrt(static_cast<double>(squared_codes)));
}

/// A thread moves the four codes of one group of a row.
__global__ void __launch_bounds__(kThreads)
    arrange_codes(const uint8_t* codes, const uint32_t dimension, const uint32_t first, const uint32_t end,
                  int8_t* out) {
  const uint32_t groups = DeviceLayout::steps(dimension) * (DeviceLayout::kStep / CodeLayout::kGroup);
  const std::size_t i = static_cast<std::size_t>(blockIdx.x) * kThreads + threadIdx.x;
  const uint32_t row_in_block = i % CodeLayout::kBlockRows;
  const uint32_t group = static_cast<uint32_t>(i / CodeLayout::kBlockRows % groups);
  const uint32_t row = first +
                       static_cast<uint32_t>(i / CodeLayout::kBlockRows / groups) * CodeLayout::kBlockRows +
                       row_in_block;
  if (row >= end) return;
  uint32_t word = 0;
  const uint32_t own_groups = (dimension + CodeLayout::kGroup - 1) / CodeLayout::kGroup;
  if (group < own_groups) {
    const std::size_t block = std::size_t{(row - first) / CodeLayout::kBlockRows} * own_groups *
                              CodeLayout::kBlockRows * CodeLayout::kGroup;
    // From bytes that are too large by 128 to signed ones.
    word = reinterpret_cast<const uint32_t*>(codes + block)[group * CodeLayout::kBlockRows + row_in_block] ^
           0x80808080u;
  }
  const std::size_t tile = row / DeviceLayout::kTileRows * DeviceLayout::tile_bytes(dimension);
  *reinterpret_cast<uint32_t*>(
      out + tile + DeviceLayout::offset(row % DeviceLayout::kTileRows, group * CodeLayout::kGroup)) = word;
}

}  // namespace

cudaError_t launch_quantize_rows(const void* vectors, Dtype dtype, uint32_t dimension, uint32_t first,
                                 uint32_t end, const CodedRows& out, uint32_t* out_of_range,
                                 cudaStream_t stream) {
  const unsigned rows_of_block = kThreads / kRowLanes;
  return launch(quantize_rows, dim3((end - first + rows_of_block - 1) / rows_of_block), dim3(kThreads), 0,
                stream, vectors, dtype, dimension, first, end, out, out_of_range);
}

cudaError_t launch_arrange_codes(const uint8_t* codes, uint32_t dimension, uint32_t first, uint32_t end,
                                 int8_t* out, cudaStream_t stream) {
  const std::size_t words =
      static_cast<std::size_t>(end - first) * DeviceLayout::steps(dimension) * (DeviceLayout::kStep / 4);
  return launch(arrange_codes, dim3(static_cast<unsigned>((words + kThreads - 1) / kThreads)), dim3(kThreads),
                0, stream, codes, dimension, first, end, out);
}

}  // namespace granule::cuda
