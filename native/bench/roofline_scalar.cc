#include <cstring>

#include "bench/roofline_loops.h"

namespace granule {
namespace {

std::uint64_t read_scalar(const void* data, std::size_t bytes) {
  const auto* words = static_cast<const std::uint64_t*>(data);
  std::uint64_t sum[8] = {};
  for (std::size_t i = 0; i < bytes / 8; i += 8) {
    GRANULE_UNROLL
    for (std::size_t j = 0; j < 8; ++j) sum[j] += words[i + j];
  }
  return sum[0] ^ sum[1] ^ sum[2] ^ sum[3] ^ sum[4] ^ sum[5] ^ sum[6] ^ sum[7];
}

void copy_scalar(void* to, const void* from, std::size_t bytes) { std::memcpy(to, from, bytes); }

std::uint64_t multiply_add_f32_scalar(std::uint64_t rounds) {
  constexpr int kChains = 12;
  float sum[kChains];
  const volatile float source = 0.999F;
  // Read anew each time: the compiler must not know that the chains are equal.
  GRANULE_UNROLL
  for (float& value : sum) value = source;
  const float factor = source;
  for (std::uint64_t r = 0; r < rounds; ++r) {
    GRANULE_UNROLL
    for (float& value : sum) value = value * factor + factor;
  }
  float total = 0;
  GRANULE_UNROLL
  for (const float value : sum) total += value;
  roofline_sink = roofline_sink + static_cast<std::uint64_t>(total);
  return rounds * kChains * 2;
}

std::uint64_t dot_int8_scalar(std::uint64_t rounds) {
  constexpr int kChains = 12;
  std::int32_t sum[kChains] = {};
  volatile std::int8_t source = 3;
  for (std::uint64_t r = 0; r < rounds; ++r) {
    const std::int32_t value = source;
    GRANULE_UNROLL
    for (int j = 0; j < kChains; ++j) {
      // Unsigned, for it may wrap around.
      sum[j] = static_cast<std::int32_t>(static_cast<std::uint32_t>(sum[j]) +
                                         static_cast<std::uint32_t>(value * (value + j)));
    }
  }
  std::uint64_t total = 0;
  GRANULE_UNROLL
  for (const std::int32_t value : sum) total += static_cast<std::uint32_t>(value);
  roofline_sink = roofline_sink + total;
  return rounds * kChains * 2;
}

}  // namespace

const RooflineLoops kRooflineScalar = {
    "scalar", read_scalar, copy_scalar, multiply_add_f32_scalar, dot_int8_scalar, "integer multiply and add"};

}  // namespace granule
