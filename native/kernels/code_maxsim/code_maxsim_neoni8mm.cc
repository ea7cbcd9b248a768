// Compiled for FEAT_I8MM; only intrinsics and functions of unnamed namespaces (see inner_product_avx2.cc).
#include "kernels/code_maxsim/code_maxsim_lanes.h"
#include "kernels/code_tile_neoni8mm.h"

namespace granule {

void code_maxsim_i8_neoni8mm(const CodeBlocks& blocks, std::size_t block_count,
                             const CodeMaxsimQueries& queries, const CodeMaxsimSpans& spans, float* uppers,
                             std::size_t upper_stride, float* maxima, std::size_t maxima_stride,
                             const uint8_t*, std::size_t) {
  bound_similarities<TileNeon<ProductsNeonI8mm>>(blocks, block_count, queries, spans, uppers, upper_stride,
                                                 maxima, maxima_stride);
}

}  // namespace granule
