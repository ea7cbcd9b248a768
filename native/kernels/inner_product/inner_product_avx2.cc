// Compiled for AVX2 and FMA. Only intrinsics and functions of this file: an inline function from a header,
// compiled here, could be the copy that the linker keeps for machines without AVX2.
#include <immintrin.h>

#include "kernels/inner_product/inner_product.h"

namespace granule {
namespace {

/// Eight float64 lanes: lanes 0-3 and lanes 4-7.
struct Lanes {
  __m256d low;
  __m256d high;
};

/// Lane sums of two accumulators, in the reference's pairwise order.
inline __m128d sum_lanes_of_two(Lanes a, Lanes b) {
  // a0+a1, b0+b1 | a2+a3, b2+b3
  const __m256d low = _mm256_add_pd(_mm256_unpacklo_pd(a.low, b.low), _mm256_unpackhi_pd(a.low, b.low));
  const __m256d high = _mm256_add_pd(_mm256_unpacklo_pd(a.high, b.high), _mm256_unpackhi_pd(a.high, b.high));
  const __m128d first = _mm_add_pd(_mm256_castpd256_pd128(low), _mm256_extractf128_pd(low, 1));
  const __m128d second = _mm_add_pd(_mm256_castpd256_pd128(high), _mm256_extractf128_pd(high, 1));
  return _mm_add_pd(first, second);
}

inline Lanes widen(__m256 x) {
  return {_mm256_cvtps_pd(_mm256_castps256_ps128(x)), _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1))};
}

/// The first `count` (1 to 7) elements at `row`, zeros behind them.
inline __m256 load_tail(const float* row, std::size_t count) {
  const __m256i position = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), position);
  return _mm256_maskload_ps(row, mask);
}

inline void accumulate(Lanes& sum, const Lanes& x, const double* query) {
  sum.low = _mm256_fmadd_pd(x.low, _mm256_loadu_pd(query), sum.low);
  sum.high = _mm256_fmadd_pd(x.high, _mm256_loadu_pd(query + 4), sum.high);
}

/// A block of Q queries and R rows (R even) whose accumulators stay in registers.
template <int Q, int R>
inline void block(const double* queries, std::size_t query_stride, const float* rows, std::size_t row_stride,
                  std::size_t dimension, double* out, std::size_t out_stride) {
  Lanes sum[Q][R];
  for (int q = 0; q < Q; ++q) {
    for (int r = 0; r < R; ++r) sum[q][r] = {_mm256_setzero_pd(), _mm256_setzero_pd()};
  }
  const std::size_t whole = dimension / 8 * 8;
  for (std::size_t i = 0; i < whole; i += 8) {
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
      const float* row = rows + r * row_stride + i;
      const Lanes x = {_mm256_cvtps_pd(_mm_loadu_ps(row)), _mm256_cvtps_pd(_mm_loadu_ps(row + 4))};
#pragma GCC unroll 4
      for (int q = 0; q < Q; ++q) accumulate(sum[q][r], x, queries + q * query_stride + i);
    }
  }
  if (whole < dimension) {
    for (int r = 0; r < R; ++r) {
      const Lanes x = widen(load_tail(rows + r * row_stride + whole, dimension - whole));
      for (int q = 0; q < Q; ++q) accumulate(sum[q][r], x, queries + q * query_stride + whole);
    }
  }
  for (int q = 0; q < Q; ++q) {
    for (int r = 0; r < R; r += 2) {
      _mm_storeu_pd(out + q * out_stride + r, sum_lanes_of_two(sum[q][r], sum[q][r + 1]));
    }
  }
}

inline double single(const double* query, const float* row, std::size_t dimension) {
  Lanes sum = {_mm256_setzero_pd(), _mm256_setzero_pd()};
  std::size_t i = 0;
  for (; i + 8 <= dimension; i += 8) accumulate(sum, widen(_mm256_loadu_ps(row + i)), query + i);
  if (i < dimension) accumulate(sum, widen(load_tail(row + i, dimension - i)), query + i);
  return _mm_cvtsd_f64(sum_lanes_of_two(sum, sum));
}

}  // namespace

void inner_product_f32_avx2(const double* queries, std::size_t query_count, std::size_t query_stride,
                            const float* rows, std::size_t row_count, std::size_t row_stride,
                            std::size_t dimension, double* out, std::size_t out_stride) {
  std::size_t q = 0;
  for (; q + 2 <= query_count; q += 2) {
    const double* query = queries + q * query_stride;
    double* line = out + q * out_stride;
    std::size_t r = 0;
    for (; r + 2 <= row_count; r += 2) {
      block<2, 2>(query, query_stride, rows + r * row_stride, row_stride, dimension, line + r, out_stride);
    }
    for (; r < row_count; ++r) {
      line[r] = single(query, rows + r * row_stride, dimension);
      line[out_stride + r] = single(query + query_stride, rows + r * row_stride, dimension);
    }
  }
  if (q < query_count) {
    const double* query = queries + q * query_stride;
    double* line = out + q * out_stride;
    std::size_t r = 0;
    for (; r + 4 <= row_count; r += 4) {
      block<1, 4>(query, query_stride, rows + r * row_stride, row_stride, dimension, line + r, out_stride);
    }
    for (; r < row_count; ++r) line[r] = single(query, rows + r * row_stride, dimension);
  }
}

}  // namespace granule
