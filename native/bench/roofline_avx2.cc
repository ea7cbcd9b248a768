#include <immintrin.h>

#include "bench/roofline_loops.h"

namespace granule {
namespace {

std::uint64_t fold(__m256i value) {
  alignas(32) std::uint64_t part[4];
  _mm256_store_si256(reinterpret_cast<__m256i*>(part), value);
  return part[0] ^ part[1] ^ part[2] ^ part[3];
}

std::uint64_t read_avx2(const void* data, std::size_t bytes) {
  const auto* block = static_cast<const __m256i*>(data);
  __m256i sum[8];
  GRANULE_UNROLL
  for (__m256i& value : sum) value = _mm256_setzero_si256();
  for (std::size_t i = 0; i < bytes / 32; i += 8) {
    GRANULE_UNROLL
    for (std::size_t j = 0; j < 8; ++j) sum[j] = _mm256_xor_si256(sum[j], _mm256_load_si256(block + i + j));
  }
  std::uint64_t total = 0;
  GRANULE_UNROLL
  for (const __m256i value : sum) total ^= fold(value);
  return total;
}

void copy_avx2(void* to, const void* from, std::size_t bytes) {
  const auto* source = static_cast<const __m256i*>(from);
  auto* target = static_cast<__m256i*>(to);
  for (std::size_t i = 0; i < bytes / 32; i += 8) {
    GRANULE_UNROLL
    for (std::size_t j = 0; j < 8; ++j) _mm256_store_si256(target + i + j, _mm256_load_si256(source + i + j));
  }
}

// 12 chains of dependent instructions: two units of four to five cycles' latency need ten.
constexpr int kChains = 12;

std::uint64_t multiply_add_f32_avx2(std::uint64_t rounds) {
  __m256 sum[kChains];
  const volatile float source = 0.999F;
  // Read anew each time: the compiler must not know that the chains are equal.
  GRANULE_UNROLL
  for (__m256& value : sum) value = _mm256_set1_ps(source);
  const __m256 factor = _mm256_set1_ps(source);
  for (std::uint64_t r = 0; r < rounds; ++r) {
    GRANULE_UNROLL
    for (__m256& value : sum) value = _mm256_fmadd_ps(value, factor, factor);
  }
  __m256 total = sum[0];
  GRANULE_UNROLL
  for (int j = 1; j < kChains; ++j) total = _mm256_add_ps(total, sum[j]);
  roofline_sink = roofline_sink + fold(_mm256_castps_si256(total));
  return rounds * kChains * 8 * 2;
}

std::uint64_t dot_int8_avx2(std::uint64_t rounds) {
  __m256i sum[kChains];
  GRANULE_UNROLL
  for (__m256i& value : sum) value = _mm256_setzero_si256();
  const volatile char source = 3;
  __m256i codes = _mm256_set1_epi8(source);
  const __m256i query = _mm256_set1_epi8(source);
  const __m256i ones = _mm256_set1_epi16(1);
  for (std::uint64_t r = 0; r < rounds; ++r) {
    GRANULE_UNROLL
    for (__m256i& value : sum) {
#if defined(__GNUC__)
      // Otherwise the compiler computes the one product once.
      asm("" : "+x"(codes));
#endif
      value = _mm256_add_epi32(value, _mm256_madd_epi16(_mm256_maddubs_epi16(codes, query), ones));
    }
  }
  std::uint64_t total = 0;
  GRANULE_UNROLL
  for (const __m256i value : sum) total ^= fold(value);
  roofline_sink = roofline_sink + total;
  return rounds * kChains * 32 * 2;
}

}  // namespace

const RooflineLoops kRooflineAvx2 = {"avx2",        read_avx2,
                                     copy_avx2,     multiply_add_f32_avx2,
                                     dot_int8_avx2, "vpmaddubsw, vpmaddwd, vpaddd (256 bits)"};

#if defined(__GNUC__)
std::uint64_t dot_int8_avxvnni(std::uint64_t rounds) {
  __m256i sum[kChains];
  GRANULE_UNROLL
  for (__m256i& value : sum) value = _mm256_setzero_si256();
  const volatile char source = 3;
  const __m256i codes = _mm256_set1_epi8(source);
  const __m256i query = _mm256_set1_epi8(source);
  for (std::uint64_t r = 0; r < rounds; ++r) {
    GRANULE_UNROLL
    for (__m256i& value : sum) asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(value) : "x"(codes), "x"(query));
  }
  std::uint64_t total = 0;
  GRANULE_UNROLL
  for (const __m256i value : sum) total ^= fold(value);
  roofline_sink = roofline_sink + total;
  return rounds * kChains * 32 * 2;
}
#endif

}  // namespace granule
