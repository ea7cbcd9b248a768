#include "backends/cpu/coded_queries.h"

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

CodedQueries::CodedQueries(const float* vectors, std::size_t count, std::size_t dimension, Metric metric)
    : code_bytes(CodeLayout::groups(dimension) * CodeLayout::kGroup), codes(count * code_bytes) {
  queries.reserve(count);
  usable.reserve(count);
  for (std::size_t q = 0; q < count; ++q) {
    const float* query = vectors + q * dimension;
    const QueryCodes quantized = quantize_query(query, dimension, codes.data() + q * code_bytes);
    const double squared_norm = canonical_dot(query, query, dimension);
    const double norm = std::sqrt(squared_norm) * (1.0 + 1e-12);
    const double factor = metric == Metric::squared_l2 ? 2.0 : 1.0;
    const double shift = metric == Metric::squared_l2 ? squared_norm : 0.0;
    CodeQuery code{};
    code.offset = 128 * quantized.code_sum;
    code.scale = static_cast<float>(factor) * quantized.scale;
    code.norm_factor =
        round_up(factor * (quantized.residual_norm + kRounding * quantized.code_norm + 0x1p-30 * norm) *
                 (1.0 + kRounding));
    code.residual_factor = round_up(factor * norm * (1.0 + kRounding));
    code.bias_factor = static_cast<float>(kRounding);
    code.shift = static_cast<float>(-shift);
    code.slack = round_up(kRounding * shift);
    queries.push_back(code);
    const bool finite =
        std::isfinite(code.norm_factor) && std::isfinite(code.residual_factor) && shift < 0x1p80;
    usable.push_back(scale_in_range(quantized.scale) && finite ? 1 : 0);
  }
}

}  // namespace granule
