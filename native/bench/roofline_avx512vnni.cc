#include "bench/roofline_loops.h"
#include "kernels/avx512_intrinsics.h"

namespace granule {
namespace {

constexpr int kChains = 24;

/// sum += the four products of bytes in each of 16 words.
inline void dot_product_add(__m512i& sum, __m512i codes, __m512i query) {
#if defined(__GNUC__)
  // The intrinsic makes some compilers spill every accumulator.
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(codes), "v"(query));
#else
  sum = _mm512_dpbusd_epi32(sum, codes, query);
#endif
}

}  // namespace

std::uint64_t dot_int8_avx512vnni(std::uint64_t rounds) {
  __m512i sum[kChains];
  GRANULE_UNROLL
  for (__m512i& value : sum) value = _mm512_setzero_si512();
  const volatile char source = 3;
  const __m512i codes = _mm512_set1_epi8(source);
  const __m512i query = _mm512_set1_epi8(source);
  for (std::uint64_t r = 0; r < rounds; ++r) {
    GRANULE_UNROLL
    for (__m512i& value : sum) dot_product_add(value, codes, query);
  }
  __m512i total = sum[0];
  GRANULE_UNROLL
  for (int j = 1; j < kChains; ++j) total = _mm512_add_epi32(total, sum[j]);
  roofline_sink = roofline_sink + static_cast<std::uint32_t>(_mm512_reduce_add_epi32(total));
  return rounds * kChains * 64 * 2;
}

}  // namespace granule
