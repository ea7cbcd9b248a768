// Compiled for AVX-512 F/BW/DQ/VL; only intrinsics and functions of unnamed namespaces (see
// inner_product_avx2.cc).
#include "kernels/code_scan/code_scan_lanes.h"
#include "kernels/code_tile_avx512.h"

namespace granule {

std::size_t code_scan_i8_avx512(const CodeBlocks& blocks, std::size_t block_count, const int8_t* codes,
                                const CodeQuery* queries, std::size_t query_count, const float* thresholds,
                                CodeSurvivor* survivors) {
  return scan_codes<TileAvx512>(blocks, block_count, codes, queries, query_count, thresholds, survivors);
}

std::size_t code_scan_two_planes_i8_avx512(const CodeBlocks& blocks, std::size_t block_count,
                                           const int8_t* codes, const CodeQuery* queries,
                                           std::size_t query_count, const float* thresholds,
                                           CodeSurvivor* survivors) {
  return scan_codes_two_planes<TileAvx512>(blocks, block_count, codes, queries, query_count, thresholds,
                                           survivors);
}

}  // namespace granule
