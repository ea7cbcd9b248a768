#include <arm_neon.h>

#include "kernels/quantize/quantize.h"

namespace granule {
namespace {

constexpr std::size_t kBlockRows = 16;
constexpr std::size_t kLanes = 16;

/// The first `count` (below 16) numbers at `x`, zeros behind them.
struct Padded {
  float numbers[kLanes] = {};

  Padded(const float* x, std::size_t count) { __builtin_memcpy(numbers, x, count * sizeof *x); }
};

inline float largest_magnitude(const float* x, std::size_t dimension) {
  float32x4_t largest = vdupq_n_f32(0.0f);
  std::size_t i = 0;
  for (; i + 4 <= dimension; i += 4) largest = vmaxq_f32(largest, vabsq_f32(vld1q_f32(x + i)));
  const Padded tail(x + i, dimension - i);
  return vmaxvq_f32(vmaxq_f32(largest, vabsq_f32(vld1q_f32(tail.numbers))));
}

/// One row's constants and sums; lane l of sixteen is lane l % 4 of squares[l / 4].
struct Row {
  float32x4_t inverse;
  float32x4_t scale;
  float32x4_t squares[4];
  int32x4_t squared_codes;
};

/// Codes of four numbers; adds the squared differences.
inline int16x4_t quantize(const float* x, const Row& row, float32x4_t* squares) {
  const float32x4_t round = vdupq_n_f32(12582912.0f);
  const float32x4_t value = vld1q_f32(x);
  const float32x4_t scaled = vmulq_f32(value, row.inverse);
  const float32x4_t clamped = vmaxq_f32(vminq_f32(scaled, vdupq_n_f32(127.0f)), vdupq_n_f32(-127.0f));
  const float32x4_t rounded = vsubq_f32(vaddq_f32(clamped, round), round);
  const float32x4_t difference = vsubq_f32(value, vmulq_f32(row.scale, rounded));
  *squares = vaddq_f32(*squares, vmulq_f32(difference, difference));
  return vmovn_s32(vcvtq_s32_f32(rounded));
}

/// Codes of sixteen numbers, of which `groups` groups of four are stored, a block's row apart.
inline void quantize(const float* x, std::size_t groups, Row* row, uint8_t* out) {
  int16x4_t quarter[4];
#pragma GCC unroll 4
  for (int g = 0; g < 4; ++g) {
    quarter[g] = quantize(x + 4 * g, *row, &row->squares[g]);
    row->squared_codes = vmlal_s16(row->squared_codes, quarter[g], quarter[g]);
  }
  const int8x16_t bytes = vcombine_s8(vmovn_s16(vcombine_s16(quarter[0], quarter[1])),
                                      vmovn_s16(vcombine_s16(quarter[2], quarter[3])));
  uint8_t in_order[kLanes];
  vst1q_u8(in_order, veorq_u8(vreinterpretq_u8_s8(bytes), vdupq_n_u8(0x80)));
#pragma GCC unroll 4
  for (std::size_t g = 0; g < groups; ++g) {
    __builtin_memcpy(out + g * kBlockRows * 4, in_order + 4 * g, 4);
  }
}

}  // namespace

bool quantize_block_f32_neon(const float* rows, std::size_t dimension, const QuantizeTraffic& traffic,
                             uint8_t* codes, float* scales, float* residual_norms, float* code_norms) {
  bool in_range = true;
  const float* next = traffic.next;
  const std::size_t whole = dimension / kLanes * kLanes;
  for (std::size_t r = 0; r < kBlockRows; ++r) {
    const float* x = rows + r * dimension;
    uint8_t* out = codes + r * 4;
    const float scale = largest_magnitude(x, dimension) / 127.0f;
    const bool usable = scale_in_range(scale);
    in_range = in_range && usable;
    const float32x4_t zero = vdupq_n_f32(0.0f);
    Row row = {vdupq_n_f32(usable && scale > 0 ? 1.0f / scale : 0.0f),
               vdupq_n_f32(scale),
               {zero, zero, zero, zero},
               vdupq_n_s32(0)};
    for (std::size_t i = 0; i < whole; i += kLanes) {
      // 64 bytes, into the second level.
      if (next != nullptr) __builtin_prefetch(next + r * dimension + i, 0, 2);
      quantize(x + i, 4, &row, out + i * kBlockRows);
    }
    if (whole < dimension) {
      const Padded tail(x + whole, dimension - whole);
      quantize(tail.numbers, (dimension - whole + 3) / 4, &row, out + whole * kBlockRows);
    }
    float lanes[kLanes];
    for (int g = 0; g < 4; ++g) vst1q_f32(lanes + 4 * g, row.squares[g]);
    scales[r] = scale;
    quantization_norms(scale, lanes, vaddvq_s32(row.squared_codes), dimension, &residual_norms[r],
                       &code_norms[r]);
  }
  if (traffic.copy != nullptr) __builtin_memcpy(traffic.copy, rows, kBlockRows * dimension * sizeof *rows);
  return in_range;
}

}  // namespace granule
