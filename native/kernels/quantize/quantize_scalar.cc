#include <cmath>
#include <limits>

#include "core/code_layout.h"
#include "kernels/quantize/quantize.h"

namespace granule {
namespace {

/// The smallest float32 that is surely not below a float64 that carries a few rounding errors.
float round_up(double value) {
  const double guarded = value * (1.0 + 1e-12);
  const float nearest = static_cast<float>(guarded);
  return static_cast<double>(nearest) >= guarded
             ? nearest
             : std::nextafter(nearest, std::numeric_limits<float>::infinity());
}

float largest_magnitude(const float* x, std::size_t dimension) {
  float largest = 0;
  for (std::size_t i = 0; i < dimension; ++i) {
    const float magnitude = std::fabs(x[i]);
    largest = magnitude > largest ? magnitude : largest;
  }
  return largest;
}

/// x / s to the nearest integer within [-127, 127]. Adding and subtracting 1.5 * 2^23 rounds, ties to even.
int32_t code_of(float x, float inverse_scale) {
  constexpr float kRound = 12582912.0f;
  const float scaled = x * inverse_scale;
  const float clamped = scaled > 127.0f ? 127.0f : scaled < -127.0f ? -127.0f : scaled;
  return static_cast<int32_t>((clamped + kRound) - kRound);
}

}  // namespace

bool scale_in_range(float scale) { return scale == 0 || (scale >= 0x1p-40f && scale <= 0x1p40f); }

bool quantize_block_f32_scalar(const float* rows, std::size_t dimension, uint8_t* codes, float* scales,
                               float* residual_norms, float* code_norms) {
  bool in_range = true;
  const std::size_t groups = CodeLayout::groups(dimension);
  for (std::size_t r = 0; r < CodeLayout::kBlockRows; ++r) {
    const float* x = rows + r * dimension;
    const float scale = largest_magnitude(x, dimension) / 127.0f;
    const float inverse = scale_in_range(scale) && scale > 0 ? 1.0f / scale : 0.0f;
    in_range = in_range && scale_in_range(scale);
    double residual = 0;
    double norm = 0;
    for (std::size_t g = 0; g < groups; ++g) {
      for (std::size_t i = 0; i < CodeLayout::kGroup; ++i) {
        const std::size_t at = g * CodeLayout::kGroup + i;
        const int32_t code = at < dimension ? code_of(x[at], inverse) : 0;
        codes[(g * CodeLayout::kBlockRows + r) * CodeLayout::kGroup + i] = static_cast<uint8_t>(code + 128);
        if (at < dimension) {
          const double approximation = static_cast<double>(scale) * code;
          const double error = static_cast<double>(x[at]) - approximation;
          residual += error * error;
          norm += approximation * approximation;
        }
      }
    }
    scales[r] = scale;
    residual_norms[r] = round_up(std::sqrt(residual) + static_cast<double>(scale) * 0x1p-16);
    code_norms[r] = round_up(std::sqrt(norm));
  }
  return in_range;
}

QueryCodes quantize_query(const float* query, std::size_t dimension, int8_t* codes) {
  const float scale = largest_magnitude(query, dimension) / 127.0f;
  const float inverse = scale_in_range(scale) && scale > 0 ? 1.0f / scale : 0.0f;
  QueryCodes out{scale, 0, 0, 0};
  const std::size_t padded = CodeLayout::groups(dimension) * CodeLayout::kGroup;
  for (std::size_t i = 0; i < padded; ++i) {
    const int32_t code = i < dimension ? code_of(query[i], inverse) : 0;
    codes[i] = static_cast<int8_t>(code);
    out.code_sum += code;
    if (i < dimension) {
      const double approximation = static_cast<double>(scale) * code;
      const double error = static_cast<double>(query[i]) - approximation;
      out.residual_norm += error * error;
      out.code_norm += approximation * approximation;
    }
  }
  out.residual_norm = std::sqrt(out.residual_norm) * (1.0 + 1e-12);
  out.code_norm = std::sqrt(out.code_norm) * (1.0 + 1e-12);
  return out;
}

}  // namespace granule
