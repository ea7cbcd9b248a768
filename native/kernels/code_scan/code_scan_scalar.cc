#include <cmath>

#include "core/code_layout.h"
#include "kernels/code_scan/code_scan.h"

namespace granule {

void code_scan_i8_scalar(const CodeBlocks& blocks, std::size_t block_count, const int8_t* query_codes,
                         const CodeQuery* queries, std::size_t query_count, const float* thresholds,
                         CodeSurvivor* survivors, std::size_t survivor_stride, uint32_t* counts) {
  constexpr std::size_t kRows = CodeLayout::kBlockRows;
  const std::size_t block_bytes = blocks.groups * kRows * CodeLayout::kGroup;
  for (std::size_t q = 0; q < query_count; ++q) {
    const CodeQuery& query = queries[q];
    const int8_t* words = query_codes + q * blocks.groups * CodeLayout::kGroup;
    CodeSurvivor* out = survivors + q * survivor_stride;
    uint32_t count = 0;
    for (std::size_t b = 0; b < block_count; ++b) {
      int32_t sum[kRows] = {};
      const uint8_t* codes = blocks.codes + b * block_bytes;
      for (std::size_t g = 0; g < blocks.groups; ++g) {
        for (std::size_t r = 0; r < kRows; ++r) {
          for (std::size_t i = 0; i < CodeLayout::kGroup; ++i) {
            sum[r] += static_cast<int32_t>(codes[(g * kRows + r) * CodeLayout::kGroup + i]) *
                      static_cast<int32_t>(words[g * CodeLayout::kGroup + i]);
          }
        }
      }
      for (std::size_t r = 0; r < kRows; ++r) {
        const std::size_t row = b * kRows + r;
        float a = static_cast<float>(sum[r] - query.offset) * (query.scale * blocks.scales[row]);
        float w =
            query.norm_factor * blocks.code_norms[row] + query.residual_factor * blocks.residual_norms[row];
        if (blocks.biases != nullptr) {
          a += blocks.biases[row];
          w += query.bias_factor * std::fabs(blocks.biases[row]);
        }
        a += query.shift;
        w += query.slack;
        if (a + w >= thresholds[q]) out[count++] = {static_cast<uint32_t>(row), a - w, a + w};
      }
    }
    counts[q] = count;
  }
}

}  // namespace granule
