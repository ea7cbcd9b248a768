#include <arm_neon.h>

#include "bench/roofline_loops.h"

namespace granule {
namespace {

// More chains than four units of four cycles' latency need, and fewer than there are registers.
constexpr int kChains = 24;

std::uint64_t fold(uint32x4_t value) { return vaddvq_u32(value); }

std::uint64_t read_neon(const void* data, std::size_t bytes) {
  const auto* words = static_cast<const std::uint32_t*>(data);
  uint32x4_t sum[8];
  GRANULE_UNROLL
  for (uint32x4_t& value : sum) value = vdupq_n_u32(0);
  for (std::size_t i = 0; i < bytes / 4; i += 32) {
    GRANULE_UNROLL
    for (std::size_t j = 0; j < 8; ++j) sum[j] = veorq_u32(sum[j], vld1q_u32(words + i + 4 * j));
  }
  std::uint64_t total = 0;
  GRANULE_UNROLL
  for (const uint32x4_t value : sum) total += fold(value);
  return total;
}

void copy_neon(void* to, const void* from, std::size_t bytes) {
  const auto* source = static_cast<const std::uint32_t*>(from);
  auto* target = static_cast<std::uint32_t*>(to);
  for (std::size_t i = 0; i < bytes / 4; i += 32) {
    GRANULE_UNROLL
    for (std::size_t j = 0; j < 8; ++j) vst1q_u32(target + i + 4 * j, vld1q_u32(source + i + 4 * j));
  }
}

std::uint64_t multiply_add_f32_neon(std::uint64_t rounds) {
  float32x4_t sum[kChains];
  const volatile float source = 0.999F;
  // Read anew each time: the compiler must not know that the chains are equal.
  GRANULE_UNROLL
  for (float32x4_t& value : sum) value = vdupq_n_f32(source);
  const float32x4_t factor = vdupq_n_f32(source);
  for (std::uint64_t r = 0; r < rounds; ++r) {
    GRANULE_UNROLL
    for (float32x4_t& value : sum) value = vfmaq_f32(factor, value, factor);
  }
  float32x4_t total = sum[0];
  GRANULE_UNROLL
  for (int j = 1; j < kChains; ++j) total = vaddq_f32(total, sum[j]);
  roofline_sink = roofline_sink + fold(vreinterpretq_u32_f32(total));
  return rounds * kChains * 4 * 2;
}

std::uint64_t dot_int8_neon(std::uint64_t rounds) {
  int32x4_t sum[kChains];
  GRANULE_UNROLL
  for (int32x4_t& value : sum) value = vdupq_n_s32(0);
  const volatile std::int8_t source = 3;
  int8x16_t codes = vdupq_n_s8(source);
  const int8x16_t query = vdupq_n_s8(source);
  for (std::uint64_t r = 0; r < rounds; ++r) {
    GRANULE_UNROLL
    for (int32x4_t& value : sum) {
#if defined(__GNUC__)
      // Otherwise the compiler computes the one product once.
      asm("" : "+w"(codes));
#endif
      value = vpadalq_s16(value, vmull_s8(vget_low_s8(codes), vget_low_s8(query)));
      value = vpadalq_s16(value, vmull_high_s8(codes, query));
    }
  }
  std::uint64_t total = 0;
  GRANULE_UNROLL
  for (const int32x4_t value : sum) total += fold(vreinterpretq_u32_s32(value));
  roofline_sink = roofline_sink + total;
  return rounds * kChains * 16 * 2;
}

}  // namespace

const RooflineLoops kRooflineNeon = {
    "neon", read_neon, copy_neon, multiply_add_f32_neon, dot_int8_neon, "smull, sadalp (128 bits)"};

#if defined(__GNUC__)
std::uint64_t dot_int8_neon_dotprod(std::uint64_t rounds) {
  int32x4_t sum[kChains];
  GRANULE_UNROLL
  for (int32x4_t& value : sum) value = vdupq_n_s32(0);
  const volatile std::int8_t source = 3;
  const int8x16_t codes = vdupq_n_s8(source);
  const int8x16_t query = vdupq_n_s8(source);
  for (std::uint64_t r = 0; r < rounds; ++r) {
    GRANULE_UNROLL
    for (int32x4_t& value : sum) {
      asm(".arch armv8.2-a+dotprod\n\tsdot %0.4s, %1.16b, %2.16b" : "+w"(value) : "w"(codes), "w"(query));
    }
  }
  std::uint64_t total = 0;
  GRANULE_UNROLL
  for (const int32x4_t value : sum) total += fold(vreinterpretq_u32_s32(value));
  roofline_sink = roofline_sink + total;
  return rounds * kChains * 16 * 2;
}
#endif

}  // namespace granule
