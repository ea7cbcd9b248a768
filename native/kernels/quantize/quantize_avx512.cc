// Compiled for AVX-512 F/BW/DQ/VL; only intrinsics and functions of this file (see inner_product_avx512.cc).
#include "kernels/avx512_intrinsics.h"
#include "kernels/quantize/quantize.h"

namespace granule {
namespace {

constexpr std::size_t kBlockRows = 16;

inline __mmask16 present(std::size_t left) {
  return left >= 16 ? static_cast<__mmask16>(0xffff) : static_cast<__mmask16>((1u << left) - 1u);
}

inline __m512 larger_magnitude(__m512 largest, __m512 value) {
  return _mm512_max_ps(largest, _mm512_abs_ps(value));
}

inline float largest_magnitude(const float* x, std::size_t dimension) {
  __m512 largest[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
  std::size_t i = 0;
  for (; i + 64 <= dimension; i += 64) {
#pragma GCC unroll 4
    for (std::size_t j = 0; j < 4; ++j)
      largest[j] = larger_magnitude(largest[j], _mm512_loadu_ps(x + i + 16 * j));
  }
  for (; i < dimension; i += 16)
    largest[0] = larger_magnitude(largest[0], _mm512_maskz_loadu_ps(present(dimension - i), x + i));
  return _mm512_reduce_max_ps(
      _mm512_max_ps(_mm512_max_ps(largest[0], largest[1]), _mm512_max_ps(largest[2], largest[3])));
}

/// A row's constants and the sums over it, in sixteen lanes: lane l has elements l, l + 16, ...
struct Row {
  float inverse;
  float scale;
  /// Of squared differences, in the order of the elements.
  __m512 squares;
  __m512i squared_codes;
};

/// Numbers of a row that are coded before the next row's. Their squared codes, at most 16,129, add up exactly
/// in a float32 lane.
constexpr std::size_t kChunk = 1024;

/// Sixteen codes. The scaled values are at most 127 (1 + 2^-22) in magnitude, so they need no clamp.
inline __m512i quantize_16(__m512 value, __m512 scale, __m512 inverse, __m512& squares,
                           __m512& squared_codes) {
  const __m512i code = _mm512_cvtps_epi32(_mm512_mul_ps(value, inverse));
  const __m512 rounded = _mm512_cvtepi32_ps(code);
  const __m512 difference = _mm512_sub_ps(value, _mm512_mul_ps(scale, rounded));
  squares = _mm512_add_ps(squares, _mm512_mul_ps(difference, difference));
  squared_codes = _mm512_fmadd_ps(rounded, rounded, squared_codes);
  return code;
}

/// Codes of up to kChunk numbers of a row, as they are to be stored: one byte each, in order; behind the
/// last, up to a multiple of 16, those of zeros.
///
/// @param next as many numbers to bring into the second level of the cache, and @param copy where to stream
/// the row to; either may be null
inline void quantize_chunk(const float* x, std::size_t count, const float* next, float* copy, Row& row,
                           uint8_t* out) {
  const __m512 scale = _mm512_set1_ps(row.scale);
  const __m512 inverse = _mm512_set1_ps(row.inverse);
  const __m512i sign_bit = _mm512_set1_epi8(-128);
  // Packing 32-bit lanes to bytes leaves the codes in groups of four: this is where those go.
  const __m512i in_order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  __m512 squares = row.squares;
  __m512 squared_codes = _mm512_setzero_ps();
  std::size_t i = 0;
  for (; i + 64 <= count; i += 64) {
    if (next != nullptr) {
#pragma GCC unroll 4
      for (std::size_t j = 0; j < 64; j += 16)
        _mm_prefetch(reinterpret_cast<const char*>(next + i + j), _MM_HINT_T1);
    }
    if (copy != nullptr) {
#pragma GCC unroll 4
      for (std::size_t j = 0; j < 64; j += 16) _mm512_stream_ps(copy + i + j, _mm512_loadu_ps(x + i + j));
    }
    const __m512i a = quantize_16(_mm512_loadu_ps(x + i), scale, inverse, squares, squared_codes);
    const __m512i b = quantize_16(_mm512_loadu_ps(x + i + 16), scale, inverse, squares, squared_codes);
    const __m512i c = quantize_16(_mm512_loadu_ps(x + i + 32), scale, inverse, squares, squared_codes);
    const __m512i d = quantize_16(_mm512_loadu_ps(x + i + 48), scale, inverse, squares, squared_codes);
    const __m512i packed = _mm512_packs_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d));
    _mm512_store_si512(out + i, _mm512_permutexvar_epi32(in_order, _mm512_xor_si512(packed, sign_bit)));
  }
  for (; i < count; i += 16) {
    const __m512 value = _mm512_maskz_loadu_ps(present(count - i), x + i);
    if (copy != nullptr) _mm512_stream_ps(copy + i, value);
    const __m512i code = quantize_16(value, scale, inverse, squares, squared_codes);
    const __m128i bytes = _mm512_cvtepi32_epi8(_mm512_add_epi32(code, _mm512_set1_epi32(128)));
    _mm_store_si128(reinterpret_cast<__m128i*>(out + i), bytes);
  }
  row.squares = squares;
  row.squared_codes = _mm512_add_epi32(row.squared_codes, _mm512_cvtps_epi32(squared_codes));
}

/// Puts four codes of each row where the layout has them.
inline void interleave_4(const uint8_t (*plain)[kChunk], std::size_t at, uint8_t* out) {
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kBlockRows; ++r) __builtin_memcpy(out + r * 4, plain[r] + at, 4);
}

inline void store(uint8_t* out, __m512i line, bool streamed) {
  if (streamed) {
    _mm512_stream_si512(reinterpret_cast<__m512i*>(out), line);
  } else {
    _mm512_storeu_si512(out, line);
  }
}

/// The same for 64 codes of each row: a transposition of 16 x 16 words.
inline void interleave_64(const uint8_t (*plain)[kChunk], std::size_t at, bool streamed, uint8_t* out) {
  __m512i a[16];
  __m512i b[16];
#pragma GCC unroll 16
  for (std::size_t r = 0; r < 16; ++r) a[r] = _mm512_load_si512(plain[r] + at);
    // Each step doubles how many rows of one word lie together: 2 and 4 within quarters of the registers,
    // then 16.
#pragma GCC unroll 8
  for (std::size_t r = 0; r < 16; r += 2) {
    b[r] = _mm512_unpacklo_epi32(a[r], a[r + 1]);
    b[r + 1] = _mm512_unpackhi_epi32(a[r], a[r + 1]);
  }
#pragma GCC unroll 4
  for (std::size_t r = 0; r < 16; r += 4) {
    a[r] = _mm512_unpacklo_epi64(b[r], b[r + 2]);
    a[r + 1] = _mm512_unpackhi_epi64(b[r], b[r + 2]);
    a[r + 2] = _mm512_unpacklo_epi64(b[r + 1], b[r + 3]);
    a[r + 3] = _mm512_unpackhi_epi64(b[r + 1], b[r + 3]);
  }
  // a[r + w], r a multiple of 4: quarter h has word 4 h + w of rows r to r + 3.
#pragma GCC unroll 4
  for (std::size_t w = 0; w < 4; ++w) {
    const __m512i low_01 = _mm512_shuffle_i32x4(a[w], a[4 + w], 0x44);
    const __m512i high_01 = _mm512_shuffle_i32x4(a[w], a[4 + w], 0xee);
    const __m512i low_23 = _mm512_shuffle_i32x4(a[8 + w], a[12 + w], 0x44);
    const __m512i high_23 = _mm512_shuffle_i32x4(a[8 + w], a[12 + w], 0xee);
    store(out + (0 + w) * 64, _mm512_shuffle_i32x4(low_01, low_23, 0x88), streamed);
    store(out + (4 + w) * 64, _mm512_shuffle_i32x4(low_01, low_23, 0xdd), streamed);
    store(out + (8 + w) * 64, _mm512_shuffle_i32x4(high_01, high_23, 0x88), streamed);
    store(out + (12 + w) * 64, _mm512_shuffle_i32x4(high_01, high_23, 0xdd), streamed);
  }
}

/// The smallest float32 that is surely not below a float64 that carries a few rounding errors, of eight.
inline __m256 round_up(__m512d value) {
  const __m512d guarded = _mm512_mul_pd(value, _mm512_set1_pd(1.0 + 1e-12));
  const __m256 nearest = _mm512_cvtpd_ps(guarded);
  const __mmask8 below = _mm512_cmp_pd_mask(_mm512_cvtps_pd(nearest), guarded, _CMP_LT_OQ);
  // The next float32 of one that is not negative.
  const __m256i bits = _mm256_castps_si256(nearest);
  return _mm256_castsi256_ps(_mm256_mask_add_epi32(bits, below, bits, _mm256_set1_epi32(1)));
}

/// quantization_norms of eight rows at once: the same operations in the same order.
inline void norms_of_8(const float* scales, const float (*lanes)[16], const int32_t* squared_codes,
                       std::size_t dimension, float* residual_norms, float* code_norms) {
  const auto d = static_cast<double>(dimension);
  const __m256i line = _mm256_mullo_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(16));
  __m512d squares = _mm512_setzero_pd();
  for (int l = 0; l < 16; ++l)
    squares = _mm512_add_pd(squares, _mm512_cvtps_pd(_mm256_i32gather_ps(&lanes[0][l], line, 4)));
  const __m512d scale = _mm512_cvtps_pd(_mm256_loadu_ps(scales));
  const __m512d summed = _mm512_sqrt_pd(_mm512_mul_pd(squares, _mm512_set1_pd(1.0 + (d / 16 + 4) * 0x1p-23)));
  const __m512d root = _mm512_add_pd(_mm512_sqrt_pd(_mm512_set1_pd(d)), _mm512_set1_pd(1.0));
  const __m512d slack = _mm512_mul_pd(_mm512_mul_pd(scale, _mm512_set1_pd(0x1p-16)), root);
  _mm256_storeu_ps(residual_norms, round_up(_mm512_add_pd(summed, slack)));
  const __m512d codes =
      _mm512_sqrt_pd(_mm512_cvtepi32_pd(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(squared_codes))));
  _mm256_storeu_ps(code_norms, round_up(_mm512_mul_pd(scale, codes)));
}

}  // namespace

bool quantize_block_f32_avx512(const float* rows, std::size_t dimension, const QuantizeTraffic& traffic,
                               uint8_t* codes, float* scales, float* residual_norms, float* code_norms) {
  const std::size_t padded = (dimension + 3) / 4 * 4;
  bool in_range = true;
  alignas(64) Row row[kBlockRows];
  alignas(64) uint8_t plain[kBlockRows][kChunk];
  for (std::size_t begin = 0; begin < dimension; begin += kChunk) {
    const std::size_t count = dimension - begin < kChunk ? dimension - begin : kChunk;
    for (std::size_t r = 0; r < kBlockRows; ++r) {
      const std::size_t at = r * dimension + begin;
      const float* next = traffic.next != nullptr ? traffic.next + at : nullptr;
      float* copy = traffic.copy != nullptr && dimension % 16 == 0 ? traffic.copy + at : nullptr;
      if (begin == 0) {
        const float scale = largest_magnitude(rows + at, dimension) / 127.0f;
        const bool usable = scale_in_range(scale);
        in_range = in_range && usable;
        row[r] = {usable && scale > 0 ? 1.0f / scale : 0.0f, scale, _mm512_setzero_ps(),
                  _mm512_setzero_si512()};
        scales[r] = scale;
      }
      quantize_chunk(rows + at, count, next, copy, row[r], plain[r]);
    }
    std::size_t i = 0;
    for (; i + 64 <= count; i += 64)
      interleave_64(plain, i, traffic.stream_codes, codes + (begin + i) * kBlockRows);
    for (; i < padded - begin && i < kChunk; i += 4) interleave_4(plain, i, codes + (begin + i) * kBlockRows);
  }
  float lanes[kBlockRows][16];
  int32_t squared_codes[kBlockRows];
  for (std::size_t r = 0; r < kBlockRows; ++r) {
    _mm512_storeu_ps(lanes[r], row[r].squares);
    squared_codes[r] = _mm512_reduce_add_epi32(row[r].squared_codes);
  }
  for (std::size_t r = 0; r < kBlockRows; r += 8) {
    norms_of_8(scales + r, lanes + r, squared_codes + r, dimension, residual_norms + r, code_norms + r);
  }
  if (traffic.copy != nullptr && dimension % 16 != 0) {
    // The rows lie across lines, the block does not.
    for (std::size_t i = 0; i < kBlockRows * dimension; i += 16)
      _mm512_stream_ps(traffic.copy + i, _mm512_loadu_ps(rows + i));
  }
  // Streamed stores may pass those that follow, such as the release of a lock.
  if (traffic.copy != nullptr || traffic.stream_codes) _mm_sfence();
  return in_range;
}

}  // namespace granule
