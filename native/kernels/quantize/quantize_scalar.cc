#include <cmath>
#include <cstring>
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

void quantization_norms(float scale, const float lanes[16], int32_t squared_codes, std::size_t dimension,
                        float* residual_norm, float* code_norm) {
  double squares = 0;
  for (int l = 0; l < 16; ++l) squares += static_cast<double>(lanes[l]);
  const auto d = static_cast<double>(dimension);
  const double summed = std::sqrt(squares * (1.0 + (d / 16 + 4) * 0x1p-23));
  *residual_norm = round_up(summed + static_cast<double>(scale) * 0x1p-16 * (std::sqrt(d) + 1.0));
  *code_norm = round_up(static_cast<double>(scale) * std::sqrt(static_cast<double>(squared_codes)));
}

bool quantize_block_f32_scalar(const float* rows, std::size_t dimension, const QuantizeTraffic& traffic,
                               uint8_t* codes, float* scales, float* residual_norms, float* code_norms) {
  bool in_range = true;
  const std::size_t padded = CodeLayout::groups(dimension) * CodeLayout::kGroup;
  for (std::size_t r = 0; r < CodeLayout::kBlockRows; ++r) {
    const float* x = rows + r * dimension;
    const float scale = largest_magnitude(x, dimension) / 127.0f;
    const float inverse = scale_in_range(scale) && scale > 0 ? 1.0f / scale : 0.0f;
    in_range = in_range && scale_in_range(scale);
    float lanes[16] = {};
    int32_t squared_codes = 0;
    for (std::size_t i = 0; i < padded; ++i) {
      const int32_t code = i < dimension ? code_of(x[i], inverse) : 0;
      codes[(i / CodeLayout::kGroup * CodeLayout::kBlockRows + r) * CodeLayout::kGroup +
            i % CodeLayout::kGroup] = static_cast<uint8_t>(code + 128);
      if (i < dimension) {
        const float difference = x[i] - scale * static_cast<float>(code);
        lanes[i % 16] += difference * difference;
        squared_codes += code * code;
      }
    }
    scales[r] = scale;
    quantization_norms(scale, lanes, squared_codes, dimension, &residual_norms[r], &code_norms[r]);
  }
  if (traffic.copy != nullptr)
    std::memcpy(traffic.copy, rows, CodeLayout::kBlockRows * dimension * sizeof *rows);
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

TwoPlaneCodes quantize_query_two_planes(const float* query, std::size_t dimension, int8_t* codes,
                                        int8_t* fine_codes) {
  const QueryCodes coarse = quantize_query(query, dimension, codes);
  TwoPlaneCodes out{coarse.scale, coarse.scale / 254.0f, coarse.code_sum, 0, 0, coarse.code_norm};
  const float inverse = scale_in_range(coarse.scale) && coarse.scale > 0 ? 1.0f / out.fine_scale : 0.0f;
  double fine_norm = 0;
  const std::size_t padded = CodeLayout::groups(dimension) * CodeLayout::kGroup;
  for (std::size_t i = 0; i < padded; ++i) {
    // Exact: a float32 less the product of a float32 and a small integer.
    const double left =
        i < dimension ? static_cast<double>(query[i]) - static_cast<double>(coarse.scale) * codes[i] : 0;
    const int32_t code = code_of(static_cast<float>(left), inverse);
    fine_codes[i] = static_cast<int8_t>(code);
    out.fine_code_sum += code;
    const double approximation = static_cast<double>(out.fine_scale) * code;
    out.residual_norm += (left - approximation) * (left - approximation);
    fine_norm += approximation * approximation;
  }
  out.residual_norm = std::sqrt(out.residual_norm) * (1.0 + 1e-12);
  out.code_norm += std::sqrt(fine_norm) * (1.0 + 1e-12);
  return out;
}

}  // namespace granule
