#include <arm_neon.h>

#include "kernels/convert/convert.h"

namespace granule {
namespace {

constexpr std::size_t kWidth = 4;

// Loads and stores as bytes: those of wider elements may expect their alignment.

inline uint16x4_t load_halves(const uint16_t* from) {
  return vreinterpret_u16_u8(vld1_u8(reinterpret_cast<const uint8_t*>(from)));
}
inline float32x4_t load_values(const float* from) {
  return vreinterpretq_f32_u8(vld1q_u8(reinterpret_cast<const uint8_t*>(from)));
}
inline void store_halves(uint16_t* to, uint16x4_t halves) {
  vst1_u8(reinterpret_cast<uint8_t*>(to), vreinterpret_u8_u16(halves));
}
inline void store_values(float* to, float32x4_t values) {
  vst1q_u8(reinterpret_cast<uint8_t*>(to), vreinterpretq_u8_f32(values));
}

inline float32x4_t widened_f16(uint16x4_t halves) { return vcvt_f32_f16(vreinterpret_f16_u16(halves)); }

inline float32x4_t widened_bf16(uint16x4_t halves) { return vreinterpretq_f32_u32(vshll_n_u16(halves, 16)); }

inline uint16x4_t narrowed_f16(float32x4_t values) { return vreinterpret_u16_f16(vcvt_f16_f32(values)); }

/// In integers: not every processor has a conversion to bf16.
inline uint16x4_t narrowed_bf16(float32x4_t values) {
  const uint32x4_t bits = vreinterpretq_u32_f32(values);
  const uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
  return vshrn_n_u32(vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7fff))), 16);
}

template <float32x4_t (*Convert)(uint16x4_t)>
inline void widen(const uint16_t* in, std::size_t count, float* out) {
  std::size_t i = 0;
  for (; i + kWidth <= count; i += kWidth) store_values(out + i, Convert(load_halves(in + i)));
  if (i == count) return;
  uint16_t halves[kWidth] = {};
  float values[kWidth];
  __builtin_memcpy(halves, in + i, (count - i) * sizeof *in);
  store_values(values, Convert(load_halves(halves)));
  __builtin_memcpy(out + i, values, (count - i) * sizeof *out);
}

template <uint16x4_t (*Convert)(float32x4_t)>
inline void narrow(const float* in, std::size_t count, uint16_t* out) {
  std::size_t i = 0;
  for (; i + kWidth <= count; i += kWidth) store_halves(out + i, Convert(load_values(in + i)));
  if (i == count) return;
  float values[kWidth] = {};
  uint16_t halves[kWidth];
  __builtin_memcpy(values, in + i, (count - i) * sizeof *in);
  store_halves(halves, Convert(load_values(values)));
  __builtin_memcpy(out + i, halves, (count - i) * sizeof *out);
}

}  // namespace

void widen_f16_neon(const uint16_t* in, std::size_t count, float* out) { widen<widened_f16>(in, count, out); }

void widen_bf16_neon(const uint16_t* in, std::size_t count, float* out) {
  widen<widened_bf16>(in, count, out);
}

void narrow_f16_neon(const float* in, std::size_t count, uint16_t* out) {
  narrow<narrowed_f16>(in, count, out);
}

void narrow_bf16_neon(const float* in, std::size_t count, uint16_t* out) {
  narrow<narrowed_bf16>(in, count, out);
}

}  // namespace granule
