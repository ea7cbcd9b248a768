#include <cmath>
#include <limits>

#include "core/code_layout.h"
#include "kernels/code_maxsim/code_maxsim.h"

namespace granule {

void code_maxsim_i8_scalar(const CodeBlocks& blocks, std::size_t first, std::size_t count,
                           const int8_t* codes, const CodeQuery* queries, std::size_t query_count,
                           float* lowers, float* uppers) {
  constexpr std::size_t kRows = CodeLayout::kBlockRows;
  for (std::size_t q = 0; q < query_count; ++q) {
    const CodeQuery& query = queries[q];
    const int8_t* words = codes + q * blocks.groups * CodeLayout::kGroup;
    float greatest_lower = -std::numeric_limits<float>::infinity();
    float greatest_upper = greatest_lower;
    for (std::size_t row = first; row < first + count; ++row) {
      const uint8_t* bytes = blocks.codes + row / kRows * blocks.groups * kRows * CodeLayout::kGroup;
      int32_t sum = 0;
      for (std::size_t i = 0; i < blocks.groups * CodeLayout::kGroup; ++i) {
        const std::size_t at = (i / CodeLayout::kGroup * kRows + row % kRows) * CodeLayout::kGroup;
        sum += static_cast<int32_t>(bytes[at + i % CodeLayout::kGroup]) * static_cast<int32_t>(words[i]);
      }
      float a = static_cast<float>(sum - query.offset) * (query.scale * blocks.scales[row]);
      float w =
          query.norm_factor * blocks.code_norms[row] + query.residual_factor * blocks.residual_norms[row];
      if (blocks.biases != nullptr) {
        a += blocks.biases[row];
        w += query.bias_factor * std::fabs(blocks.biases[row]);
      }
      a += query.shift;
      w += query.slack;
      greatest_lower = a - w > greatest_lower ? a - w : greatest_lower;
      greatest_upper = a + w > greatest_upper ? a + w : greatest_upper;
    }
    lowers[q] = greatest_lower;
    uppers[q] = greatest_upper;
  }
}

}  // namespace granule
