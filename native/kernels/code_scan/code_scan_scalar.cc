#include <cmath>

#include "core/code_layout.h"
#include "kernels/code_scan/code_scan.h"

namespace granule {
namespace {

constexpr std::size_t kRows = CodeLayout::kBlockRows;

/// The integer dot products of a query with the 16 rows of a block.
void block_products(const uint8_t* codes, std::size_t groups, const int8_t* words, int32_t offset,
                    int32_t products[kRows]) {
  for (std::size_t r = 0; r < kRows; ++r) products[r] = -offset;
  for (std::size_t g = 0; g < groups; ++g) {
    for (std::size_t r = 0; r < kRows; ++r) {
      for (std::size_t i = 0; i < CodeLayout::kGroup; ++i) {
        products[r] += static_cast<int32_t>(codes[(g * kRows + r) * CodeLayout::kGroup + i]) *
                       static_cast<int32_t>(words[g * CodeLayout::kGroup + i]);
      }
    }
  }
}

template <int Planes>
std::size_t scan(const CodeBlocks& blocks, std::size_t block_count, const int8_t* query_codes,
                 const CodeQuery* queries, std::size_t query_count, const float* thresholds,
                 CodeSurvivor* survivors) {
  const std::size_t block_bytes = blocks.groups * kRows * CodeLayout::kGroup;
  const std::size_t plane_bytes = blocks.groups * CodeLayout::kGroup;
  std::size_t count = 0;
  for (std::size_t q = 0; q < query_count; ++q) {
    const CodeQuery& query = queries[q];
    const int8_t* words = query_codes + q * Planes * plane_bytes;
    for (std::size_t b = 0; b < block_count; ++b) {
      int32_t products[kRows];
      int32_t fine[kRows] = {};
      block_products(blocks.codes + b * block_bytes, blocks.groups, words, query.offset, products);
      if (Planes == 2) {
        block_products(blocks.codes + b * block_bytes, blocks.groups, words + plane_bytes, query.fine_offset,
                       fine);
      }
      for (std::size_t r = 0; r < kRows; ++r) {
        const std::size_t row = b * kRows + r;
        float a = Planes == 2 ? (static_cast<float>(products[r]) * query.scale +
                                 static_cast<float>(fine[r]) * query.fine_scale) *
                                    blocks.scales[row]
                              : static_cast<float>(products[r]) * (query.scale * blocks.scales[row]);
        float w =
            query.norm_factor * blocks.code_norms[row] + query.residual_factor * blocks.residual_norms[row];
        if (blocks.biases != nullptr) {
          a += blocks.biases[row];
          w += query.bias_factor * std::fabs(blocks.biases[row]);
        }
        a += query.shift;
        w += query.slack;
        if (a + w >= thresholds[q]) {
          survivors[count++] = {static_cast<uint32_t>(row), static_cast<uint32_t>(q), a - w, a + w};
        }
      }
    }
  }
  return count;
}

}  // namespace

std::size_t code_scan_i8_scalar(const CodeBlocks& blocks, std::size_t block_count, const int8_t* codes,
                                const CodeQuery* queries, std::size_t query_count, const float* thresholds,
                                CodeSurvivor* survivors) {
  return scan<1>(blocks, block_count, codes, queries, query_count, thresholds, survivors);
}

std::size_t code_scan_two_planes_i8_scalar(const CodeBlocks& blocks, std::size_t block_count,
                                           const int8_t* codes, const CodeQuery* queries,
                                           std::size_t query_count, const float* thresholds,
                                           CodeSurvivor* survivors) {
  return scan<2>(blocks, block_count, codes, queries, query_count, thresholds, survivors);
}

}  // namespace granule
