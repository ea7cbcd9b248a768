// Compiled for AVX-512 F/BW/DQ/VL and VNNI; only intrinsics and functions of this file and of the header that
// it shares with no file compiled otherwise (see inner_product_avx512.cc).
#include "kernels/avx512_intrinsics.h"
#include "kernels/code_maxsim/code_maxsim.h"
#include "kernels/code_tile_avx512vnni.h"

namespace granule {
namespace {

/// What is fetched while tiles are computed.
struct Upcoming {
  const uint8_t* end;
  std::size_t bytes;
  std::size_t left;
};

/// Uppers of R blocks for Q query vectors.
template <int Q, int R, int Lines>
GRANULE_ALWAYS_INLINE void tile(const CodeBlocks& blocks, std::size_t first_block,
                                const CodeMaxsimQueries& queries, std::size_t first_query, float* uppers,
                                std::size_t stride, const uint8_t* upcoming) {
  const std::size_t row = first_block * kBlockRows;
  float* out = uppers + first_query * stride + row;
  const int32_t* starts = queries.starts + first_query;
  const float* scales = blocks.scales + row;
  const float* code_norms = blocks.code_norms + row;
  const float* residual_norms = blocks.residual_norms + row;
  const float norm_factor = queries.norm_factor;
  const float residual_factor = queries.residual_factor;
  dot_product_tile<Q, R, Lines>(
      blocks.codes + first_block * blocks.groups * kGroupBytes, blocks.groups,
      queries.codes + first_query * blocks.groups * 4, upcoming, [=](int q) { return starts[q]; },
      [=](__m512i(&sum)[Q][R]) {
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) {
          const std::size_t at = static_cast<std::size_t>(r) * kBlockRows;
          const __m512 scale = _mm512_loadu_ps(scales + at);
          const __m512 margin = _mm512_add_ps(
              _mm512_mul_ps(_mm512_set1_ps(norm_factor), _mm512_loadu_ps(code_norms + at)),
              _mm512_mul_ps(_mm512_set1_ps(residual_factor), _mm512_loadu_ps(residual_norms + at)));
#pragma GCC unroll 8
          for (int q = 0; q < Q; ++q) {
            _mm512_storeu_ps(out + static_cast<std::size_t>(q) * stride + at,
                             _mm512_add_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(sum[q][r]), scale), margin));
          }
        }
      });
}

/// Every block for Q query vectors, R blocks at a time. Meanwhile Lines * groups cache lines of `upcoming`
/// are fetched per R blocks.
/// @return what of it is left
template <int Q, int R, int Lines>
Upcoming strip(const CodeBlocks& blocks, std::size_t block_count, const CodeMaxsimQueries& queries,
               std::size_t first_query, float* uppers, std::size_t stride, Upcoming upcoming) {
  const std::size_t block_bytes = blocks.groups * kGroupBytes;
  const std::size_t tile_bytes = Lines * block_bytes;
  std::size_t b = 0;
  for (; b + R <= block_count; b += R) {
    // With less than that left, some of what was fetched before; with nothing, codes that are read anyway.
    const std::size_t bytes = upcoming.left < tile_bytes ? upcoming.left : tile_bytes;
    const uint8_t* at = upcoming.end - upcoming.left;
    if (bytes < tile_bytes)
      at = bytes > 0 && upcoming.bytes >= tile_bytes ? upcoming.end - tile_bytes : blocks.codes;
    tile<Q, R, Lines>(blocks, b, queries, first_query, uppers, stride, at);
    upcoming.left -= bytes;
  }
  for (; b < block_count; ++b) tile<Q, 1, 0>(blocks, b, queries, first_query, uppers, stride, nullptr);
  return upcoming;
}

/// Turns uppers without biases into those with them.
inline void add_biases(const CodeBlocks& blocks, std::size_t block_count, const CodeMaxsimQueries& queries,
                       float* uppers, std::size_t stride) {
  for (std::size_t b = 0; b < block_count; ++b) {
    const __m512 bias = _mm512_loadu_ps(blocks.biases + b * kBlockRows);
    const __m512 upper_bias =
        _mm512_add_ps(bias, _mm512_mul_ps(_mm512_set1_ps(queries.bias_factor), _mm512_abs_ps(bias)));
    for (std::size_t q = 0; q < queries.count; ++q) {
      float* out = uppers + q * stride + b * kBlockRows;
      _mm512_storeu_ps(
          out,
          _mm512_add_ps(_mm512_mul_ps(_mm512_set1_ps(queries.scales[q]), _mm512_loadu_ps(out)), upper_bias));
    }
  }
}

/// Eight registers' greatest lanes.
inline __m256 greatest_lanes(const __m512 (&v)[8]) {
  // Halves: v0 | v1 and so on; then quarters: v0 | v1 | v2 | v3.
  __m512 half[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    half[i] = _mm512_max_ps(_mm512_shuffle_f32x4(v[2 * i], v[2 * i + 1], 0x44),
                            _mm512_shuffle_f32x4(v[2 * i], v[2 * i + 1], 0xee));
  }
  const __m512 low = _mm512_max_ps(_mm512_shuffle_f32x4(half[0], half[1], 0x88),
                                   _mm512_shuffle_f32x4(half[0], half[1], 0xdd));
  const __m512 high = _mm512_max_ps(_mm512_shuffle_f32x4(half[2], half[3], 0x88),
                                    _mm512_shuffle_f32x4(half[2], half[3], 0xdd));
  // In quarter i: two of v_i, two of v_(i + 4); then one of each, twice.
  const __m512 pairs = _mm512_max_ps(_mm512_shuffle_ps(low, high, 0x44), _mm512_shuffle_ps(low, high, 0xee));
  const __m512 both = _mm512_max_ps(pairs, _mm512_permute_ps(pairs, 0xb1));
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 2, 6, 10, 14, 0, 0, 0, 0, 0, 0, 0, 0);
  return _mm512_castps512_ps256(_mm512_permutexvar_ps(order, both));
}

inline void find_maxima(const CodeMaxsimQueries& queries, const CodeMaxsimSpans& spans, const float* uppers,
                        std::size_t stride, float* maxima, std::size_t maxima_stride) {
  const __m512 lowest = _mm512_set1_ps(-__builtin_inff());
  // Missing query vectors repeat the last one; their maxima are not stored.
  const float* line[8];
  for (std::size_t q = 0; q < 8; ++q) line[q] = uppers + (q < queries.count ? q : queries.count - 1) * stride;
  const __mmask8 present = static_cast<__mmask8>((1u << queries.count) - 1u);
  for (std::size_t span = 0; span < spans.count; ++span) {
    const std::size_t end = spans.begins[span + 1];
    __m512 greatest[8];
#pragma GCC unroll 8
    for (int q = 0; q < 8; ++q) greatest[q] = lowest;
    std::size_t row = spans.begins[span];
    for (; row + kBlockRows <= end; row += kBlockRows) {
#pragma GCC unroll 8
      for (int q = 0; q < 8; ++q) greatest[q] = _mm512_max_ps(greatest[q], _mm512_loadu_ps(line[q] + row));
    }
    if (row < end) {
      const __mmask16 rest = static_cast<__mmask16>((1u << (end - row)) - 1u);
#pragma GCC unroll 8
      for (int q = 0; q < 8; ++q) {
        greatest[q] =
            _mm512_mask_max_ps(greatest[q], rest, greatest[q], _mm512_maskz_loadu_ps(rest, line[q] + row));
      }
    }
    _mm256_mask_storeu_ps(maxima + span * maxima_stride, present, greatest_lanes(greatest));
  }
}

}  // namespace

void code_maxsim_i8_avx512vnni(const CodeBlocks& blocks, std::size_t block_count,
                               const CodeMaxsimQueries& queries, const CodeMaxsimSpans& spans, float* uppers,
                               std::size_t upper_stride, float* maxima, std::size_t maxima_stride,
                               const uint8_t* upcoming, std::size_t upcoming_bytes) {
  // A line per three blocks and group of dimensions is enough where three calls or more, with eight query
  // vectors each, share the fetching.
  Upcoming rest{upcoming + upcoming_bytes, upcoming_bytes, upcoming_bytes};
  const bool slowly = upcoming_bytes <= block_count / 3 * blocks.groups * kGroupBytes;
  std::size_t q = 0;
  if (q + 8 <= queries.count) {
    rest = slowly ? strip<8, 3, 1>(blocks, block_count, queries, q, uppers, upper_stride, rest)
                  : strip<8, 3, 3>(blocks, block_count, queries, q, uppers, upper_stride, rest);
    q += 8;
  }
  if (q + 4 <= queries.count) {
    rest = strip<4, 6, 2>(blocks, block_count, queries, q, uppers, upper_stride, rest);
    q += 4;
  }
  if (q + 2 <= queries.count) {
    rest = strip<2, 6, 2>(blocks, block_count, queries, q, uppers, upper_stride, rest);
    q += 2;
  }
  if (q < queries.count) strip<1, 6, 2>(blocks, block_count, queries, q, uppers, upper_stride, rest);
  if (blocks.biases != nullptr) add_biases(blocks, block_count, queries, uppers, upper_stride);
  find_maxima(queries, spans, uppers, upper_stride, maxima, maxima_stride);
}

}  // namespace granule
