// Compiled for AVX2; only intrinsics and functions of this file (see inner_product_avx2.cc).
#include <immintrin.h>

#include "kernels/quantize/quantize.h"

namespace granule {
namespace {

constexpr std::size_t kBlockRows = 16;
constexpr std::size_t kLanes = 16;

/// Sixteen numbers, lane l holding number l.
struct Sixteen {
  __m256 low;
  __m256 high;
};

inline Sixteen load(const float* x) { return {_mm256_loadu_ps(x), _mm256_loadu_ps(x + 8)}; }

/// The first `count` (below 16) numbers at `x`, zeros behind them.
inline Sixteen load_first(const float* x, std::size_t count) {
  float padded[kLanes] = {};
  __builtin_memcpy(padded, x, count * sizeof *x);
  return load(padded);
}

/// Copies a multiple of 16 numbers past the caches.
inline void stream(const float* in, std::size_t count, float* out) {
  for (std::size_t i = 0; i < count; i += kLanes) {
    const Sixteen values = load(in + i);
    _mm256_stream_ps(out + i, values.low);
    _mm256_stream_ps(out + i + 8, values.high);
  }
  // Streamed stores may pass those that follow, such as the release of a lock.
  _mm_sfence();
}

inline __m256 magnitude(__m256 x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }

inline float largest_magnitude(const float* x, std::size_t dimension) {
  Sixteen largest = {_mm256_setzero_ps(), _mm256_setzero_ps()};
  for (std::size_t i = 0; i < dimension; i += kLanes) {
    const Sixteen value = dimension - i >= kLanes ? load(x + i) : load_first(x + i, dimension - i);
    largest.low = _mm256_max_ps(largest.low, magnitude(value.low));
    largest.high = _mm256_max_ps(largest.high, magnitude(value.high));
  }
  float lanes[8];
  _mm256_storeu_ps(lanes, _mm256_max_ps(largest.low, largest.high));
  float out = lanes[0];
  for (int l = 1; l < 8; ++l) out = lanes[l] > out ? lanes[l] : out;
  return out;
}

/// One row's constants and sums.
struct Row {
  __m256 inverse;
  __m256 scale;
  Sixteen squares;
  __m256i squared_codes;
};

/// Codes of eight numbers, as float32; adds the squared differences.
inline __m256i quantize(__m256 value, const Row& row, __m256* squares) {
  const __m256 round = _mm256_set1_ps(12582912.0f);
  const __m256 scaled = _mm256_mul_ps(value, row.inverse);
  const __m256 clamped =
      _mm256_max_ps(_mm256_min_ps(scaled, _mm256_set1_ps(127.0f)), _mm256_set1_ps(-127.0f));
  const __m256 rounded = _mm256_sub_ps(_mm256_add_ps(clamped, round), round);
  const __m256 difference = _mm256_sub_ps(value, _mm256_mul_ps(row.scale, rounded));
  *squares = _mm256_add_ps(*squares, _mm256_mul_ps(difference, difference));
  return _mm256_cvttps_epi32(rounded);
}

/// Codes of sixteen numbers, of which `groups` groups of four are stored, a block's row apart.
inline void quantize(const Sixteen& value, std::size_t groups, Row* row, uint8_t* out) {
  const __m256i low = quantize(value.low, *row, &row->squares.low);
  const __m256i high = quantize(value.high, *row, &row->squares.high);
  const __m256i words = _mm256_packs_epi32(low, high);
  row->squared_codes = _mm256_add_epi32(row->squared_codes, _mm256_madd_epi16(words, words));
  // In each half of the register: a group of the lower eight, one of the higher eight, and both again.
  const __m256i bytes = _mm256_xor_si256(_mm256_packs_epi16(words, words), _mm256_set1_epi8(-128));
  const auto even = static_cast<uint64_t>(_mm_cvtsi128_si64(_mm256_castsi256_si128(bytes)));
  const auto odd = static_cast<uint64_t>(_mm_cvtsi128_si64(_mm256_extracti128_si256(bytes, 1)));
  const uint32_t in_order[4] = {static_cast<uint32_t>(even), static_cast<uint32_t>(odd),
                                static_cast<uint32_t>(even >> 32), static_cast<uint32_t>(odd >> 32)};
#pragma GCC unroll 4
  for (std::size_t g = 0; g < groups; ++g) {
    __builtin_memcpy(out + g * kBlockRows * 4, &in_order[g], 4);
  }
}

}  // namespace

bool quantize_block_f32_avx2(const float* rows, std::size_t dimension, const QuantizeTraffic& traffic,
                             uint8_t* codes, float* scales, float* residual_norms, float* code_norms) {
  bool in_range = true;
  const float* next = traffic.next;
  const std::size_t whole = dimension / kLanes * kLanes;
  for (std::size_t r = 0; r < kBlockRows; ++r) {
    const float* x = rows + r * dimension;
    uint8_t* out = codes + r * 4;
    const float scale = largest_magnitude(x, dimension) / 127.0f;
    const bool usable = scale_in_range(scale);
    in_range = in_range && usable;
    Row row = {_mm256_set1_ps(usable && scale > 0 ? 1.0f / scale : 0.0f),
               _mm256_set1_ps(scale),
               {_mm256_setzero_ps(), _mm256_setzero_ps()},
               _mm256_setzero_si256()};
    for (std::size_t i = 0; i < whole; i += kLanes) {
      // 64 bytes, into the second level.
      if (next != nullptr) _mm_prefetch(reinterpret_cast<const char*>(next + r * dimension + i), _MM_HINT_T1);
      quantize(load(x + i), 4, &row, out + i * kBlockRows);
    }
    if (whole < dimension) {
      quantize(load_first(x + whole, dimension - whole), (dimension - whole + 3) / 4, &row,
               out + whole * kBlockRows);
    }
    float lanes[kLanes];
    _mm256_storeu_ps(lanes, row.squares.low);
    _mm256_storeu_ps(lanes + 8, row.squares.high);
    int32_t squared[8];
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(squared), row.squared_codes);
    int32_t squared_codes = 0;
    for (int l = 0; l < 8; ++l) squared_codes += squared[l];
    scales[r] = scale;
    quantization_norms(scale, lanes, squared_codes, dimension, &residual_norms[r], &code_norms[r]);
  }
  if (traffic.copy != nullptr) stream(rows, kBlockRows * dimension, traffic.copy);
  return in_range;
}

}  // namespace granule
