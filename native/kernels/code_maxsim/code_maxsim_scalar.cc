#include <cmath>

#include "core/code_layout.h"
#include "kernels/code_maxsim/code_maxsim.h"

namespace granule {

void code_maxsim_i8_scalar(const CodeBlocks& blocks, std::size_t block_count,
                           const CodeMaxsimQueries& queries, const CodeMaxsimSpans& spans, float* uppers,
                           std::size_t upper_stride, float* maxima, std::size_t maxima_stride, const uint8_t*,
                           std::size_t) {
  constexpr std::size_t kRows = CodeLayout::kBlockRows;
  for (std::size_t q = 0; q < queries.count; ++q) {
    const int8_t* words = queries.codes + q * blocks.groups * CodeLayout::kGroup;
    float* out = uppers + q * upper_stride;
    for (std::size_t row = 0; row < block_count * kRows; ++row) {
      const uint8_t* bytes = blocks.codes + row / kRows * blocks.groups * kRows * CodeLayout::kGroup;
      int32_t sum = queries.starts[q];
      for (std::size_t i = 0; i < blocks.groups * CodeLayout::kGroup; ++i) {
        const std::size_t at = (i / CodeLayout::kGroup * kRows + row % kRows) * CodeLayout::kGroup;
        sum += static_cast<int32_t>(bytes[at + i % CodeLayout::kGroup]) * static_cast<int32_t>(words[i]);
      }
      const float margin =
          queries.norm_factor * blocks.code_norms[row] + queries.residual_factor * blocks.residual_norms[row];
      out[row] = static_cast<float>(sum) * blocks.scales[row] + margin;
      if (blocks.biases != nullptr) {
        const float bias = blocks.biases[row];
        out[row] = queries.scales[q] * out[row] + (bias + queries.bias_factor * std::fabs(bias));
      }
    }
    for (std::size_t span = 0; span < spans.count; ++span) {
      float greatest = out[spans.begins[span]];
      for (std::size_t row = spans.begins[span]; row < spans.begins[span + 1]; ++row)
        greatest = out[row] > greatest ? out[row] : greatest;
      maxima[span * maxima_stride + q] = greatest;
    }
  }
}

}  // namespace granule
