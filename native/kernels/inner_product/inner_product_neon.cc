#include <arm_neon.h>

#include "kernels/inner_product/inner_product.h"

namespace granule {
namespace {

/// Eight float64 lanes in four registers: lanes 0-1, 2-3, 4-5, 6-7.
struct Lanes {
  float64x2_t v[4];
};

inline Lanes zero() {
  const float64x2_t z = vdupq_n_f64(0.0);
  return {{z, z, z, z}};
}

/// ((0+1)+(2+3)) + ((4+5)+(6+7))
inline double sum_lanes(const Lanes& s) {
  const float64x2_t low = vpaddq_f64(s.v[0], s.v[1]);
  const float64x2_t high = vpaddq_f64(s.v[2], s.v[3]);
  return vpaddd_f64(vpaddq_f64(low, high));
}

inline Lanes widen(const float* row) {
  const float32x4_t a = vld1q_f32(row);
  const float32x4_t b = vld1q_f32(row + 4);
  return {{vcvt_f64_f32(vget_low_f32(a)), vcvt_high_f64_f32(a), vcvt_f64_f32(vget_low_f32(b)),
           vcvt_high_f64_f32(b)}};
}

/// The first `count` (1 to 7) elements at `row`, zeros behind them.
inline Lanes widen_tail(const float* row, std::size_t count) {
  float padded[8] = {};
  for (std::size_t i = 0; i < count; ++i) padded[i] = row[i];
  return widen(padded);
}

inline void accumulate(Lanes& sum, const Lanes& x, const double* query) {
  for (int i = 0; i < 4; ++i) sum.v[i] = vfmaq_f64(sum.v[i], x.v[i], vld1q_f64(query + 2 * i));
}

/// A block of Q queries and R rows whose accumulators stay in registers.
template <int Q, int R>
inline void block(const double* queries, std::size_t query_stride, const float* rows, std::size_t row_stride,
                  std::size_t dimension, double* out, std::size_t out_stride) {
  Lanes sum[Q][R];
  for (int q = 0; q < Q; ++q) {
    for (int r = 0; r < R; ++r) sum[q][r] = zero();
  }
  const std::size_t whole = dimension / 8 * 8;
  for (std::size_t i = 0; i < whole; i += 8) {
    for (int r = 0; r < R; ++r) {
      const Lanes x = widen(rows + r * row_stride + i);
      for (int q = 0; q < Q; ++q) accumulate(sum[q][r], x, queries + q * query_stride + i);
    }
  }
  if (whole < dimension) {
    for (int r = 0; r < R; ++r) {
      const Lanes x = widen_tail(rows + r * row_stride + whole, dimension - whole);
      for (int q = 0; q < Q; ++q) accumulate(sum[q][r], x, queries + q * query_stride + whole);
    }
  }
  for (int q = 0; q < Q; ++q) {
    for (int r = 0; r < R; ++r) out[q * out_stride + r] = sum_lanes(sum[q][r]);
  }
}

template <int Q>
inline void line_of_rows(const double* queries, std::size_t query_stride, const float* rows,
                         std::size_t row_count, std::size_t row_stride, std::size_t dimension, double* out,
                         std::size_t out_stride) {
  std::size_t r = 0;
  for (; r + 2 <= row_count; r += 2) {
    block<Q, 2>(queries, query_stride, rows + r * row_stride, row_stride, dimension, out + r, out_stride);
  }
  if (r < row_count) {
    block<Q, 1>(queries, query_stride, rows + r * row_stride, row_stride, dimension, out + r, out_stride);
  }
}

}  // namespace

void inner_product_f32_neon(const double* queries, std::size_t query_count, std::size_t query_stride,
                            const float* rows, std::size_t row_count, std::size_t row_stride,
                            std::size_t dimension, double* out, std::size_t out_stride) {
  std::size_t q = 0;
  for (; q + 2 <= query_count; q += 2) {
    line_of_rows<2>(queries + q * query_stride, query_stride, rows, row_count, row_stride, dimension,
                    out + q * out_stride, out_stride);
  }
  if (q < query_count) {
    line_of_rows<1>(queries + q * query_stride, query_stride, rows, row_count, row_stride, dimension,
                    out + q * out_stride, out_stride);
  }
}

}  // namespace granule
