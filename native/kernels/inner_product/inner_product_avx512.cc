// Compiled for AVX-512 F/BW/DQ/VL. Only intrinsics and functions of this file: an inline function from a
// header, compiled here, could be the copy that the linker keeps for machines without AVX-512.
#include "kernels/avx512_intrinsics.h"
#include "kernels/inner_product/inner_product.h"

namespace granule {
namespace {

/// Lane sums of four accumulators, in the reference's pairwise order.
inline __m256d sum_lanes_of_four(__m512d a, __m512d b, __m512d c, __m512d d) {
  // Blocks of 128 bits: a0+a1, b0+b1 | a2+a3, b2+b3 | a4+a5, b4+b5 | a6+a7, b6+b7
  const __m512d ab = _mm512_add_pd(_mm512_unpacklo_pd(a, b), _mm512_unpackhi_pd(a, b));
  const __m512d cd = _mm512_add_pd(_mm512_unpacklo_pd(c, d), _mm512_unpackhi_pd(c, d));
  const __m512d halves =
      _mm512_add_pd(_mm512_shuffle_f64x2(ab, cd, 0x88), _mm512_shuffle_f64x2(ab, cd, 0xdd));
  return _mm512_castpd512_pd256(
      _mm512_add_pd(_mm512_shuffle_f64x2(halves, halves, 0x88), _mm512_shuffle_f64x2(halves, halves, 0xdd)));
}

/// A block of Q queries and R rows (R a multiple of 4) whose Q * R accumulators, one zmm of eight lanes each,
/// stay in registers.
template <int Q, int R>
inline void block(const double* queries, std::size_t query_stride, const float* rows, std::size_t row_stride,
                  std::size_t dimension, double* out, std::size_t out_stride) {
  __m512d sum[Q][R];
  for (int q = 0; q < Q; ++q) {
    for (int r = 0; r < R; ++r) sum[q][r] = _mm512_setzero_pd();
  }
  const std::size_t whole = dimension / 8 * 8;
  for (std::size_t i = 0; i < whole; i += 8) {
    __m512d x[R];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) x[r] = _mm512_cvtps_pd(_mm256_loadu_ps(rows + r * row_stride + i));
#pragma GCC unroll 4
    for (int q = 0; q < Q; ++q) {
      const __m512d y = _mm512_loadu_pd(queries + q * query_stride + i);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) sum[q][r] = _mm512_fmadd_pd(x[r], y, sum[q][r]);
    }
  }
  if (whole < dimension) {
    const __mmask8 tail = static_cast<__mmask8>((1u << (dimension - whole)) - 1u);
    for (int r = 0; r < R; ++r) {
      const __m512d x = _mm512_cvtps_pd(_mm256_maskz_loadu_ps(tail, rows + r * row_stride + whole));
      for (int q = 0; q < Q; ++q) {
        sum[q][r] = _mm512_fmadd_pd(x, _mm512_loadu_pd(queries + q * query_stride + whole), sum[q][r]);
      }
    }
  }
  for (int q = 0; q < Q; ++q) {
    for (int r = 0; r < R; r += 4) {
      _mm256_storeu_pd(out + q * out_stride + r,
                       sum_lanes_of_four(sum[q][r], sum[q][r + 1], sum[q][r + 2], sum[q][r + 3]));
    }
  }
}

/// One query and one row.
inline double single(const double* query, const float* row, std::size_t dimension) {
  __m512d sum = _mm512_setzero_pd();
  std::size_t i = 0;
  for (; i + 8 <= dimension; i += 8) {
    sum = _mm512_fmadd_pd(_mm512_cvtps_pd(_mm256_loadu_ps(row + i)), _mm512_loadu_pd(query + i), sum);
  }
  if (i < dimension) {
    const __mmask8 tail = static_cast<__mmask8>((1u << (dimension - i)) - 1u);
    sum = _mm512_fmadd_pd(_mm512_cvtps_pd(_mm256_maskz_loadu_ps(tail, row + i)), _mm512_loadu_pd(query + i),
                          sum);
  }
  return _mm256_cvtsd_f64(sum_lanes_of_four(sum, sum, sum, sum));
}

}  // namespace

void inner_product_f32_avx512(const double* queries, std::size_t query_count, std::size_t query_stride,
                              const float* rows, std::size_t row_count, std::size_t row_stride,
                              std::size_t dimension, double* out, std::size_t out_stride) {
  std::size_t q = 0;
  for (; q + 4 <= query_count; q += 4) {
    const double* query = queries + q * query_stride;
    double* line = out + q * out_stride;
    std::size_t r = 0;
    for (; r + 4 <= row_count; r += 4) {
      block<4, 4>(query, query_stride, rows + r * row_stride, row_stride, dimension, line + r, out_stride);
    }
    for (; r < row_count; ++r) {
      for (std::size_t j = 0; j < 4; ++j) {
        line[j * out_stride + r] = single(query + j * query_stride, rows + r * row_stride, dimension);
      }
    }
  }
  for (; q < query_count; ++q) {
    const double* query = queries + q * query_stride;
    double* line = out + q * out_stride;
    std::size_t r = 0;
    for (; r + 8 <= row_count; r += 8) {
      block<1, 8>(query, query_stride, rows + r * row_stride, row_stride, dimension, line + r, out_stride);
    }
    for (; r < row_count; ++r) line[r] = single(query, rows + r * row_stride, dimension);
  }
}

}  // namespace granule
