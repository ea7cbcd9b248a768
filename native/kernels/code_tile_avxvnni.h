#pragma once

// To be included by files that are compiled for AVX2 and AVX-VNNI, and by no other.

#include "kernels/code_tile_avx2.h"

namespace granule {
namespace {

/// Products by AVX-VNNI: unsigned bytes of rows with signed ones of queries.
struct ProductsAvxVnni {
  static constexpr bool kOffsetRows = true;
  // Twelve sums, more than the instruction's latency of five times the two that start in a cycle.
  static constexpr int kBatchQueries = 4;
  static constexpr int kBatchParts = 3;

  using Rows = __m256i;

  static GRANULE_ALWAYS_INLINE Rows load(const uint8_t* bytes) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes));
  }

  static GRANULE_ALWAYS_INLINE void add(__m256i& sum, Rows rows, __m256i query) {
#if defined(__GNUC__) && !defined(__clang__)
    // GCC 12 spills accumulators around the intrinsic.
    __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(rows), "x"(query));
#else
    sum = _mm256_dpbusd_avx_epi32(sum, rows, query);
#endif
  }
};

}  // namespace
}  // namespace granule
