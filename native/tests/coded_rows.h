#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/code_layout.h"
#include "kernels/code_scan/code_scan.h"
#include "kernels/quantize/quantize.h"

namespace test_data {

/// Coded rows, as a scan gets them.
struct Coded {
  Coded(const std::vector<float>& rows, std::size_t row_dimension)
      : dimension(row_dimension),
        block_count(rows.size() / row_dimension / granule::CodeLayout::kBlockRows),
        codes(block_count * granule::CodeLayout::block_bytes(row_dimension)),
        scales(block_count * granule::CodeLayout::kBlockRows),
        residual_norms(scales.size()),
        code_norms(scales.size()) {
    for (std::size_t b = 0; b < block_count; ++b) {
      const std::size_t row = b * granule::CodeLayout::kBlockRows;
      in_range = granule::quantize_block_f32_scalar(
                     rows.data() + row * dimension, dimension, {},
                     codes.data() + b * granule::CodeLayout::block_bytes(dimension), scales.data() + row,
                     residual_norms.data() + row, code_norms.data() + row) &&
                 in_range;
    }
  }

  granule::CodeBlocks view(const float* biases) const {
    return {codes.data(),      scales.data(), residual_norms.data(),
            code_norms.data(), biases,        granule::CodeLayout::groups(dimension)};
  }

  double approximation(std::size_t row, std::size_t i) const {
    const std::size_t block =
        row / granule::CodeLayout::kBlockRows * granule::CodeLayout::block_bytes(dimension);
    const uint8_t byte =
        codes[block + (i / 4 * granule::CodeLayout::kBlockRows + row % granule::CodeLayout::kBlockRows) * 4 +
              i % 4];
    return static_cast<double>(scales[row]) * (byte - 128);
  }

  std::size_t dimension;
  std::size_t block_count;
  std::vector<uint8_t> codes;
  std::vector<float> scales;
  std::vector<float> residual_norms;
  std::vector<float> code_norms;
  bool in_range = true;
};

}  // namespace test_data
