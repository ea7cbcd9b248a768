#include <bit>
#include <cstring>

#include "kernels/convert/convert.h"

namespace granule {
namespace {

template <typename T>
T load(const T* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <typename T>
void store(T* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

// Exponents are biased by 127 in float32 and by 15 in f16, whose fraction is 13 bits shorter.
constexpr uint32_t kBiasStep = (127u - 15u) << 23;
constexpr uint32_t kInfinity = 0x7f800000u;

float widened_f16(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t magnitude = (half & 0x7fffu) << 13;
  uint32_t bits = magnitude + kBiasStep;
  if (magnitude >= 0x7c00u << 13) {
    bits = magnitude | kInfinity | (magnitude > 0x7c00u << 13 ? 0x00400000u : 0u);
  } else if (magnitude < 0x0400u << 13) {
    // A denormal's fraction behind 2^-14, less 2^-14: exact, and no float32 denormal appears on the way.
    const float behind = std::bit_cast<float>(magnitude + kBiasStep + (1u << 23));
    bits = std::bit_cast<uint32_t>(behind - 0x1p-14f);
  }
  return std::bit_cast<float>(bits | sign);
}

uint16_t narrowed_f16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = (bits >> 16) & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  uint32_t half = 0x7c00u;
  if (magnitude < 0x38800000u) {  // below 2^-14, the smallest normal f16
    // Steps of f16 denormals, 2^-24, are those of float32 from 0.5 on: the addition rounds.
    half = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - std::bit_cast<uint32_t>(0.5f);
  } else if (magnitude < 0x477ff000u) {  // below 65520, half a step beyond the largest finite f16
    half = (magnitude - kBiasStep + 0x0fffu + ((magnitude >> 13) & 1u)) >> 13;
  }
  return static_cast<uint16_t>(half | sign);
}

}  // namespace

void widen_f16_scalar(const uint16_t* in, std::size_t count, float* out) {
  for (std::size_t i = 0; i < count; ++i) store(out + i, widened_f16(load(in + i)));
}

void widen_bf16_scalar(const uint16_t* in, std::size_t count, float* out) {
  for (std::size_t i = 0; i < count; ++i) {
    store(out + i, std::bit_cast<float>(static_cast<uint32_t>(load(in + i)) << 16));
  }
}

void narrow_f16_scalar(const float* in, std::size_t count, uint16_t* out) {
  for (std::size_t i = 0; i < count; ++i) store(out + i, narrowed_f16(load(in + i)));
}

void narrow_bf16_scalar(const float* in, std::size_t count, uint16_t* out) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto bits = std::bit_cast<uint32_t>(load(in + i));
    store(out + i, static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16));
  }
}

}  // namespace granule
