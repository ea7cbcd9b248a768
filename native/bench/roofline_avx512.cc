#include "bench/roofline_loops.h"
#include "kernels/avx512_intrinsics.h"

namespace granule {
namespace {

std::uint64_t fold(__m512i value) {
  alignas(64) std::uint64_t part[8];
  _mm512_store_si512(part, value);
  std::uint64_t total = 0;
  for (const std::uint64_t word : part) total ^= word;
  return total;
}

std::uint64_t read_avx512(const void* data, std::size_t bytes) {
  const auto* block = static_cast<const __m512i*>(data);
  __m512i sum[8];
  GRANULE_UNROLL
  for (__m512i& value : sum) value = _mm512_setzero_si512();
  for (std::size_t i = 0; i < bytes / 64; i += 8) {
    GRANULE_UNROLL
    for (std::size_t j = 0; j < 8; ++j) sum[j] = _mm512_xor_si512(sum[j], _mm512_load_si512(block + i + j));
  }
  std::uint64_t total = 0;
  GRANULE_UNROLL
  for (const __m512i value : sum) total ^= fold(value);
  return total;
}

void copy_avx512(void* to, const void* from, std::size_t bytes) {
  const auto* source = static_cast<const __m512i*>(from);
  auto* target = static_cast<__m512i*>(to);
  for (std::size_t i = 0; i < bytes / 64; i += 8) {
    GRANULE_UNROLL
    for (std::size_t j = 0; j < 8; ++j) _mm512_store_si512(target + i + j, _mm512_load_si512(source + i + j));
  }
}

// More chains than two units of four to five cycles' latency need, and fewer than there are registers.
constexpr int kChains = 24;

std::uint64_t multiply_add_f32_avx512(std::uint64_t rounds) {
  __m512 sum[kChains];
  const volatile float source = 0.999F;
  // Read anew each time: the compiler must not know that the chains are equal.
  GRANULE_UNROLL
  for (__m512& value : sum) value = _mm512_set1_ps(source);
  const __m512 factor = _mm512_set1_ps(source);
  for (std::uint64_t r = 0; r < rounds; ++r) {
    GRANULE_UNROLL
    for (__m512& value : sum) value = _mm512_fmadd_ps(value, factor, factor);
  }
  __m512 total = sum[0];
  GRANULE_UNROLL
  for (int j = 1; j < kChains; ++j) total = _mm512_add_ps(total, sum[j]);
  roofline_sink = roofline_sink + fold(_mm512_castps_si512(total));
  return rounds * kChains * 16 * 2;
}

std::uint64_t dot_int8_avx512(std::uint64_t rounds) {
  __m512i sum[kChains];
  GRANULE_UNROLL
  for (__m512i& value : sum) value = _mm512_setzero_si512();
  const volatile char source = 3;
  __m512i codes = _mm512_set1_epi8(source);
  const __m512i query = _mm512_set1_epi8(source);
  const __m512i ones = _mm512_set1_epi16(1);
  for (std::uint64_t r = 0; r < rounds; ++r) {
    GRANULE_UNROLL
    for (__m512i& value : sum) {
#if defined(__GNUC__)
      // Otherwise the compiler computes the one product once.
      asm("" : "+v"(codes));
#endif
      value = _mm512_add_epi32(value, _mm512_madd_epi16(_mm512_maddubs_epi16(codes, query), ones));
    }
  }
  std::uint64_t total = 0;
  GRANULE_UNROLL
  for (const __m512i value : sum) total ^= fold(value);
  roofline_sink = roofline_sink + total;
  return rounds * kChains * 64 * 2;
}

}  // namespace

const RooflineLoops kRooflineAvx512 = {"avx512",        read_avx512,
                                       copy_avx512,     multiply_add_f32_avx512,
                                       dot_int8_avx512, "vpmaddubsw, vpmaddwd, vpaddd (512 bits)"};

}  // namespace granule
