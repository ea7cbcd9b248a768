#include <cmath>
#include <cstring>

#include "kernels/convert/convert.h"

namespace granule {
namespace {

float float_of(uint32_t bits) {
  float out;
  std::memcpy(&out, &bits, sizeof out);
  return out;
}

uint32_t bits_of(float value) {
  uint32_t out;
  std::memcpy(&out, &value, sizeof out);
  return out;
}

}  // namespace

void widen_f16_scalar(const uint16_t* in, std::size_t count, float* out) {
  for (std::size_t i = 0; i < count; ++i) {
    const uint32_t sign = static_cast<uint32_t>(in[i] & 0x8000u) << 16;
    const uint32_t exponent = (in[i] >> 10) & 0x1fu;
    const uint32_t fraction = in[i] & 0x3ffu;
    if (exponent == 0) {
      out[i] = std::copysign(static_cast<float>(fraction) * 0x1p-24f, float_of(sign | 0x3f800000u));
    } else {
      const uint32_t wide_exponent = exponent == 31 ? 255 : exponent + 112;
      out[i] = float_of(sign | wide_exponent << 23 | fraction << 13);
    }
  }
}

void widen_bf16_scalar(const uint16_t* in, std::size_t count, float* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = float_of(static_cast<uint32_t>(in[i]) << 16);
}

void narrow_f16_scalar(const float* in, std::size_t count, uint16_t* out) {
  for (std::size_t i = 0; i < count; ++i) {
    const uint32_t bits = bits_of(in[i]);
    const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000u);
    const float magnitude = float_of(bits & 0x7fffffffu);
    uint32_t half;
    if (magnitude < 0x1p-14f) {
      // A multiple of 2^-24: adding 2^-1 leaves just those bits, rounded.
      half = bits_of(magnitude + 0.5f) - 0x3f000000u;
    } else if (magnitude >= 65520.0f) {
      half = 0x7c00u;
    } else {
      const uint32_t wide = bits & 0x7fffffffu;
      half = (wide - (112u << 23) + 0xfffu + (wide >> 13 & 1u)) >> 13;
    }
    out[i] = static_cast<uint16_t>(sign | half);
  }
}

void narrow_bf16_scalar(const float* in, std::size_t count, uint16_t* out) {
  for (std::size_t i = 0; i < count; ++i) {
    const uint32_t bits = bits_of(in[i]);
    out[i] = static_cast<uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
  }
}

}  // namespace granule
