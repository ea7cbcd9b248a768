#include "core/canonical_dot.h"
#include "kernels/inner_product/inner_product.h"

namespace granule {

void inner_product_f32_scalar(const double* queries, std::size_t query_count, std::size_t query_stride,
                              const float* rows, std::size_t row_count, std::size_t row_stride,
                              std::size_t dimension, double* out, std::size_t out_stride) {
  for (std::size_t q = 0; q < query_count; ++q) {
    for (std::size_t r = 0; r < row_count; ++r) {
      out[q * out_stride + r] = canonical_dot(queries + q * query_stride, rows + r * row_stride, dimension);
    }
  }
}

}  // namespace granule
