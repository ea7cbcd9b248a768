#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "backends/cuda/host_device.h"
#include "core/dtype.h"

namespace granule::cuda {

GRANULE_HD inline float float_of_bits(uint32_t bits) {
  float out;
  memcpy(&out, &bits, sizeof out);
  return out;
}

GRANULE_HD inline uint32_t bits_of_float(float value) {
  uint32_t out;
  memcpy(&out, &value, sizeof out);
  return out;
}

/// A binary16 number that is finite, exactly.
GRANULE_HD inline float widened_f16(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t magnitude = half & 0x7fffu;
  // Exponents are 112 apart. A denormal is so many times 2^-24, which float32 holds as a normal number.
  if (magnitude >= 0x0400u) return float_of_bits(sign | ((magnitude << 13) + (112u << 23)));
  const float value = static_cast<float>(magnitude) * 0x1p-24f;
  return float_of_bits(sign | bits_of_float(value));
}

GRANULE_HD inline float widened_bf16(uint16_t half) {
  return float_of_bits(static_cast<uint32_t>(half) << 16);
}

/// Number i of stored vectors, as float32.
GRANULE_HD inline float stored_number(const void* vectors, Dtype dtype, std::size_t i) {
  switch (dtype) {
    case Dtype::f16:
      return widened_f16(static_cast<const uint16_t*>(vectors)[i]);
    case Dtype::bf16:
      return widened_bf16(static_cast<const uint16_t*>(vectors)[i]);
    default:
      return static_cast<const float*>(vectors)[i];
  }
}

}  // namespace granule::cuda
