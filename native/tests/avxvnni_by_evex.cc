// Compiled for AVX2; only intrinsics and functions of unnamed namespaces (see inner_product_avx2.cc).
#include "tests/avxvnni_by_evex.h"

#include "kernels/code_maxsim/code_maxsim_lanes.h"
#include "kernels/code_scan/code_scan_lanes.h"
#include "kernels/code_tile_avxvnni.h"

namespace granule {
namespace {

struct ProductsEvex : ProductsAvxVnni {
  static GRANULE_ALWAYS_INLINE void add(__m256i& sum, Rows rows, __m256i query) {
    __asm__("%{evex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(rows), "x"(query));
  }
};

using Tile = TileAvx2<ProductsEvex>;

}  // namespace
}  // namespace granule

namespace avxvnni_by_evex {

using namespace granule;

std::size_t code_scan(const CodeBlocks& blocks, std::size_t block_count, const int8_t* codes,
                      const CodeQuery* queries, std::size_t query_count, const float* thresholds,
                      CodeSurvivor* survivors) {
  return scan_codes<Tile>(blocks, block_count, codes, queries, query_count, thresholds, survivors);
}

std::size_t code_scan_two_planes(const CodeBlocks& blocks, std::size_t block_count, const int8_t* codes,
                                 const CodeQuery* queries, std::size_t query_count, const float* thresholds,
                                 CodeSurvivor* survivors) {
  return scan_codes_two_planes<Tile>(blocks, block_count, codes, queries, query_count, thresholds, survivors);
}

void code_maxsim(const CodeBlocks& blocks, std::size_t block_count, const CodeMaxsimQueries& queries,
                 const CodeMaxsimSpans& spans, float* uppers, std::size_t upper_stride, float* maxima,
                 std::size_t maxima_stride, const uint8_t*, std::size_t) {
  bound_similarities<Tile>(blocks, block_count, queries, spans, uppers, upper_stride, maxima, maxima_stride);
}

}  // namespace avxvnni_by_evex
