#include "backends/coded_queries.h"

#include <cmath>
#include <limits>

#include "core/canonical_dot.h"
#include "kernels/quantize/quantize.h"

namespace granule {
namespace {

/// Relative room for the float32 roundings of an interval: fewer than 16 of 2^-24 each, of the magnitudes
/// they apply to.
constexpr double kRounding = 0x1p-20;

float round_up(double value) {
  const float nearest = static_cast<float>(value);
  return static_cast<double>(nearest) >= value
             ? nearest
             : std::nextafter(nearest, std::numeric_limits<float>::infinity());
}

}  // namespace

CodedQueries::CodedQueries(const float* vectors, std::size_t count, std::size_t dimension, Metric metric,
                           int planes)
    : query_bytes(CodeLayout::groups(dimension) * CodeLayout::kGroup * static_cast<std::size_t>(planes)),
      codes(count * query_bytes) {
  queries.reserve(count);
  usable.reserve(count);
  const double factor = metric == Metric::squared_l2 ? 2.0 : 1.0;
  for (std::size_t q = 0; q < count; ++q) {
    const float* query = vectors + q * dimension;
    int8_t* const query_codes = codes.data() + q * query_bytes;
    CodeQuery code{};
    double residual_norm;
    double code_norm;
    float scale;
    if (planes == 2) {
      const TwoPlaneCodes c =
          quantize_query_two_planes(query, dimension, query_codes, query_codes + query_bytes / 2);
      code.offset = 128 * c.code_sum;
      code.fine_offset = 128 * c.fine_code_sum;
      code.fine_scale = static_cast<float>(factor) * c.fine_scale;
      scale = c.scale;
      residual_norm = c.residual_norm;
      code_norm = c.code_norm;
    } else {
      const QueryCodes c = quantize_query(query, dimension, query_codes);
      code.offset = 128 * c.code_sum;
      scale = c.scale;
      residual_norm = c.residual_norm;
      code_norm = c.code_norm;
    }
    const double squared_norm = canonical_dot(query, query, dimension);
    const double norm = std::sqrt(squared_norm) * (1.0 + 1e-12);
    const double shift = metric == Metric::squared_l2 ? squared_norm : 0.0;
    code.scale = static_cast<float>(factor) * scale;
    code.norm_factor =
        round_up(factor * (residual_norm + kRounding * code_norm + 0x1p-30 * norm) * (1.0 + kRounding));
    code.residual_factor = round_up(factor * norm * (1.0 + kRounding));
    code.bias_factor = static_cast<float>(kRounding);
    code.shift = static_cast<float>(-shift);
    code.slack = round_up(kRounding * shift);
    const bool finite =
        std::isfinite(code.norm_factor) && std::isfinite(code.residual_factor) && shift < 0x1p80;
    usable.push_back(scale_in_range(scale) && finite ? 1 : 0);
    // A scan keeps no rows for a query of zeros with an infinite threshold.
    queries.push_back(usable.back() != 0 ? code : CodeQuery{});
  }
}

}  // namespace granule
