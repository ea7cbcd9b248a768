#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "core/dtype.h"

namespace granule::cuda {

/// Arrays of a segment on the device, from vector 0 of it on.
struct CodedRows {
  int8_t* codes;
  float* scales;
  float* residual_norms;
  float* code_norms;
};

/// Codes of vectors `first` up to `end` of a segment, by the rule of kernels/quantize/quantize.h and with its
/// bits, in DeviceLayout. `out_of_range` is set where a scale lies outside the range of the bounds.
///
/// @param vectors the first of them
cudaError_t launch_quantize_rows(const void* vectors, Dtype dtype, uint32_t dimension, uint32_t first,
                                 uint32_t end, const CodedRows& out, uint32_t* out_of_range,
                                 cudaStream_t stream);

/// Codes of vectors `first` up to `end`, multiples of 16, that the host has already (core/code_layout.h), in
/// DeviceLayout.
///
/// @param codes the first block of them
cudaError_t launch_arrange_codes(const uint8_t* codes, uint32_t dimension, uint32_t first, uint32_t end,
                                 int8_t* out, cudaStream_t stream);

}  // namespace granule::cuda
