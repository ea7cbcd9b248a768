// Compiled for AVX-512 F/BW/DQ/VL and VNNI; only intrinsics and functions of this file (see
// inner_product_avx512.cc).
#include "kernels/avx512_intrinsics.h"
#include "kernels/code_scan/code_scan.h"
#include "kernels/code_scan/code_scan_quick_test.h"
#include "kernels/code_tile_avx512vnni.h"

namespace granule {
namespace {

/// Blocks whose terms of the quick test are kept at once.
constexpr std::size_t kChunkBlocks = QuickRows::kMost / kBlockRows;
/// Queries and blocks of a tile: 24 sums.
constexpr std::size_t kTileQueries = 8;
constexpr std::size_t kTileBlocks = 3;
/// Queries from which on there is time to fetch what is read next.
constexpr std::size_t kLeastFetching = 64;

/// The approximate score of 16 rows, from the integer products.
inline __m512 scaled(const CodeBlocks& blocks, const CodeQuery& query, std::size_t row, __m512i sum) {
  return _mm512_mul_ps(_mm512_cvtepi32_ps(sum),
                       _mm512_mul_ps(_mm512_set1_ps(query.scale), _mm512_loadu_ps(blocks.scales + row)));
}

/// The same of a query of two planes.
inline __m512 scaled(const CodeBlocks& blocks, const CodeQuery& query, std::size_t row, __m512i sum,
                     __m512i fine) {
  return _mm512_mul_ps(
      _mm512_add_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(sum), _mm512_set1_ps(query.scale)),
                    _mm512_mul_ps(_mm512_cvtepi32_ps(fine), _mm512_set1_ps(query.fine_scale))),
      _mm512_loadu_ps(blocks.scales + row));
}

/// Interval of the 16 rows of a block; appends the survivors and returns where the next goes.
inline CodeSurvivor* keep(const CodeBlocks& blocks, const CodeQuery* queries, std::size_t q, float threshold,
                          std::size_t row, __m512 a, CodeSurvivor* out) {
  const CodeQuery& query = queries[q];
  __m512 w = _mm512_add_ps(
      _mm512_mul_ps(_mm512_set1_ps(query.norm_factor), _mm512_loadu_ps(blocks.code_norms + row)),
      _mm512_mul_ps(_mm512_set1_ps(query.residual_factor), _mm512_loadu_ps(blocks.residual_norms + row)));
  if (blocks.biases != nullptr) {
    const __m512 bias = _mm512_loadu_ps(blocks.biases + row);
    a = _mm512_add_ps(a, bias);
    w = _mm512_add_ps(w, _mm512_mul_ps(_mm512_set1_ps(query.bias_factor), _mm512_abs_ps(bias)));
  }
  a = _mm512_add_ps(a, _mm512_set1_ps(query.shift));
  w = _mm512_add_ps(w, _mm512_set1_ps(query.slack));
  const __m512 upper = _mm512_add_ps(a, w);
  uint32_t kept = _mm512_cmp_ps_mask(upper, _mm512_set1_ps(threshold), _CMP_GE_OQ);
  if (kept == 0) return out;
  float lowers[kBlockRows];
  float uppers[kBlockRows];
  _mm512_storeu_ps(lowers, _mm512_sub_ps(a, w));
  _mm512_storeu_ps(uppers, upper);
  for (; kept != 0; kept &= kept - 1) {
    const uint32_t r = _tzcnt_u32(kept);
    *out++ = {static_cast<uint32_t>(row) + r, static_cast<uint32_t>(q), lowers[r], uppers[r]};
  }
  return out;
}

/// Integer dot products of one block with S sets of codes, in order of the memory: a single stream, which the
/// processor prefetches best. U groups of dimensions go into sums of their own, so that no sum waits for the
/// one before it.
template <int S, int U>
inline void stream_block(const uint8_t* codes, std::size_t groups, const int8_t* query_codes,
                         const int32_t* offsets, __m512i out[S]) {
  const std::size_t query_bytes = groups * 4;
  const int8_t* words = query_codes;
  const int8_t* words_from_four = query_codes + 4 * query_bytes;
  const std::size_t three_queries = 3 * query_bytes;
  __m512i sum[S][U];
#pragma GCC unroll 8
  for (int s = 0; s < S; ++s) {
    sum[s][0] = _mm512_set1_epi32(-offsets[s]);
#pragma GCC unroll 8
    for (int u = 1; u < U; ++u) sum[s][u] = _mm512_setzero_si512();
  }
  std::size_t g = 0;
  for (; g + U <= groups; g += U) {
#pragma GCC unroll 8
    for (int u = 0; u < U; ++u) {
      const __m512i rows = _mm512_loadu_si512(codes + static_cast<std::size_t>(u) * kGroupBytes);
#pragma GCC unroll 8
      for (int s = 0; s < S; ++s) {
        const int8_t* base = s < 4 ? words : words_from_four;
        const std::size_t offset = s % 4 == 3 ? three_queries : static_cast<std::size_t>(s % 4) * query_bytes;
        dot_product(sum[s][u], rows, broadcast_codes(base + offset + u * 4));
      }
    }
    codes += U * kGroupBytes;
    words += U * 4;
    words_from_four += U * 4;
  }
  for (; g < groups; ++g) {
    const __m512i rows = _mm512_loadu_si512(codes);
#pragma GCC unroll 8
    for (int s = 0; s < S; ++s) {
      const int8_t* base = s < 4 ? words : words_from_four;
      const std::size_t offset = s % 4 == 3 ? three_queries : static_cast<std::size_t>(s % 4) * query_bytes;
      dot_product(sum[s][0], rows, broadcast_codes(base + offset));
    }
    codes += kGroupBytes;
    words += 4;
    words_from_four += 4;
  }
#pragma GCC unroll 8
  for (int s = 0; s < S; ++s) {
    out[s] = sum[s][0];
#pragma GCC unroll 8
    for (int u = 1; u < U; ++u) out[s] = _mm512_add_epi32(out[s], sum[s][u]);
  }
}

/// Blocks `begin` to `end` for Q queries of P planes each, one block at a time.
template <int Q, int P, int U>
inline CodeSurvivor* stream(const CodeBlocks& blocks, std::size_t begin, std::size_t end, const int8_t* codes,
                            const CodeQuery* queries, std::size_t first, const float* thresholds,
                            CodeSurvivor* out) {
  const std::size_t block_bytes = blocks.groups * kGroupBytes;
  int32_t offsets[Q * P];
  for (int q = 0; q < Q; ++q) {
    offsets[q * P] = queries[first + static_cast<std::size_t>(q)].offset;
    if (P == 2) offsets[q * P + P - 1] = queries[first + static_cast<std::size_t>(q)].fine_offset;
  }
  for (std::size_t b = begin; b < end; ++b) {
    __m512i sum[Q * P];
    stream_block<Q * P, U>(blocks.codes + b * block_bytes, blocks.groups,
                           codes + first * P * blocks.groups * 4, offsets, sum);
    const std::size_t row = b * kBlockRows;
#pragma GCC unroll 8
    for (int i = 0; i < Q; ++i) {
      const std::size_t q = first + static_cast<std::size_t>(i);
      const __m512 a = P == 2 ? scaled(blocks, queries[q], row, sum[i * P], sum[i * P + P - 1])
                              : scaled(blocks, queries[q], row, sum[i * P]);
      out = keep(blocks, queries, q, thresholds[q], row, a, out);
    }
  }
  return out;
}

/// The same for any number of queries below eight, of one plane.
inline CodeSurvivor* stream_few(const CodeBlocks& blocks, std::size_t begin, std::size_t end,
                                const int8_t* codes, const CodeQuery* queries, std::size_t first,
                                std::size_t count, const float* thresholds, CodeSurvivor* out) {
  switch (count) {
    case 1:
      return stream<1, 1, 8>(blocks, begin, end, codes, queries, first, thresholds, out);
    case 2:
      return stream<2, 1, 4>(blocks, begin, end, codes, queries, first, thresholds, out);
    case 3:
      return stream<3, 1, 2>(blocks, begin, end, codes, queries, first, thresholds, out);
    case 4:
      return stream<4, 1, 2>(blocks, begin, end, codes, queries, first, thresholds, out);
    case 5:
      return stream<5, 1, 1>(blocks, begin, end, codes, queries, first, thresholds, out);
    case 6:
      return stream<6, 1, 1>(blocks, begin, end, codes, queries, first, thresholds, out);
    case 7:
      return stream<7, 1, 1>(blocks, begin, end, codes, queries, first, thresholds, out);
    default:
      return out;
  }
}

/// Eight queries and three blocks.
template <bool Biased>
inline CodeSurvivor* quick_tile(const CodeBlocks& blocks, std::size_t block, const QuickRows& rows,
                                std::size_t at, const int8_t* codes, const CodeQuery* queries,
                                std::size_t first, const QuickQuery* quick, const float* thresholds,
                                CodeSurvivor* out) {
  dot_product_tile<kTileQueries, kTileBlocks>(
      blocks.codes + block * blocks.groups * kGroupBytes, blocks.groups, codes + first * blocks.groups * 4,
      [&](int q) { return -queries[first + static_cast<std::size_t>(q)].offset; },
      [&](const __m512i(&sum)[kTileQueries][kTileBlocks]) {
        alignas(64) int32_t sums[kTileQueries][kTileBlocks][kBlockRows];
#pragma GCC unroll 8
        for (std::size_t q = 0; q < kTileQueries; ++q) {
#pragma GCC unroll 8
          for (std::size_t r = 0; r < kTileBlocks; ++r) _mm512_store_si512(sums[q][r], sum[q][r]);
        }
        __m512 inverses[kTileBlocks], widths[kTileBlocks];
#pragma GCC unroll 8
        for (std::size_t r = 0; r < kTileBlocks; ++r) {
          inverses[r] = _mm512_load_ps(rows.inverses + at + r * kBlockRows);
          widths[r] = _mm512_load_ps(rows.widths + at + r * kBlockRows);
        }
#pragma GCC unroll 1
        for (std::size_t i = 0; i < kTileQueries; ++i) {
          const __m512 rise = _mm512_set1_ps(quick[i].rise);
          const __m512 reach = _mm512_set1_ps(quick[i].reach);
          __mmask16 passes[kTileBlocks];
#pragma GCC unroll 8
          for (std::size_t r = 0; r < kTileBlocks; ++r) {
            __m512 least = _mm512_fmsub_ps(rise, inverses[r], _mm512_mul_ps(reach, widths[r]));
            if (Biased) {
              least = _mm512_fnmadd_ps(_mm512_set1_ps(quick[i].pull),
                                       _mm512_load_ps(rows.biases + at + r * kBlockRows), least);
            }
            passes[r] =
                _mm512_cmp_ps_mask(_mm512_cvtepi32_ps(_mm512_load_si512(sums[i][r])), least, _CMP_NLT_UQ);
          }
          if ((passes[0] | passes[1] | passes[2]) == 0) continue;
          const std::size_t q = first + i;
#pragma GCC unroll 1
          for (std::size_t r = 0; r < kTileBlocks; ++r) {
            if (passes[r] == 0) continue;
            const std::size_t row = (block + r) * kBlockRows;
            const __m512 a = scaled(blocks, queries[q], row, _mm512_load_si512(sums[i][r]));
            out = keep(blocks, queries, q, thresholds[q], row, a, out);
          }
        }
      });
  return out;
}

/// Fetches lines `begin` up to `end` of what follows the blocks, into the second-level cache.
inline void fetch(const uint8_t* upcoming, std::size_t begin, std::size_t end) {
  for (std::size_t line = begin; line < end; ++line)
    _mm_prefetch(reinterpret_cast<const char*>(upcoming + line * kGroupBytes), _MM_HINT_T1);
}

template <bool Biased>
inline CodeSurvivor* scan_batch(const CodeBlocks& blocks, std::size_t block_count, const int8_t* codes,
                                const CodeQuery* queries, std::size_t first, std::size_t count,
                                const float* thresholds, CodeSurvivor* out) {
  const std::size_t tiled = count / kTileQueries * kTileQueries;
  QuickQueries quick;
  quick_queries(queries + first, thresholds + first, tiled, &quick);
  for (std::size_t begin = 0; begin < block_count; begin += kChunkBlocks) {
    const std::size_t end = block_count - begin < kChunkBlocks ? block_count : begin + kChunkBlocks;
    QuickRows rows;
    quick_rows(blocks, begin * kBlockRows, (end - begin) * kBlockRows, quick, &rows);
    // The next call mostly reads what follows: every tile fetches its share.
    const uint8_t* upcoming = blocks.codes + block_count * blocks.groups * kGroupBytes;
    const std::size_t tiles = (end - begin) / kTileBlocks * (tiled / kTileQueries);
    const std::size_t lines = (tiled >= kLeastFetching ? end - begin : 0) * blocks.groups;
    std::size_t tile = 0;
    for (std::size_t i = 0; i < tiled; i += kTileQueries) {
      std::size_t b = begin;
      for (; b + kTileBlocks <= end; b += kTileBlocks, ++tile) {
        fetch(upcoming + begin * blocks.groups * kGroupBytes, lines * tile / tiles,
              lines * (tile + 1) / tiles);
        out = quick_tile<Biased>(blocks, b, rows, (b - begin) * kBlockRows, codes, queries, first + i,
                                 quick.query + i, thresholds, out);
      }
      out = stream<kTileQueries, 1, 1>(blocks, b, end, codes, queries, first + i, thresholds, out);
    }
    out = stream_few(blocks, begin, end, codes, queries, first + tiled, count - tiled, thresholds, out);
  }
  return out;
}

}  // namespace

std::size_t code_scan_i8_avx512vnni(const CodeBlocks& blocks, std::size_t block_count, const int8_t* codes,
                                    const CodeQuery* queries, std::size_t query_count,
                                    const float* thresholds, CodeSurvivor* survivors) {
  CodeSurvivor* out = survivors;
  if (query_count < kTileQueries) {
    out = stream_few(blocks, 0, block_count, codes, queries, 0, query_count, thresholds, out);
  } else if (query_count == kTileQueries) {
    out = stream<kTileQueries, 1, 1>(blocks, 0, block_count, codes, queries, 0, thresholds, out);
  } else {
    const auto scan = blocks.biases != nullptr ? scan_batch<true> : scan_batch<false>;
    for (std::size_t q = 0; q < query_count; q += QuickQueries::kMost) {
      const std::size_t count = query_count - q < QuickQueries::kMost ? query_count - q : QuickQueries::kMost;
      out = scan(blocks, block_count, codes, queries, q, count, thresholds, out);
    }
  }
  return static_cast<std::size_t>(out - survivors);
}

std::size_t code_scan_two_planes_i8_avx512vnni(const CodeBlocks& blocks, std::size_t block_count,
                                               const int8_t* codes, const CodeQuery* queries,
                                               std::size_t query_count, const float* thresholds,
                                               CodeSurvivor* survivors) {
  CodeSurvivor* out = survivors;
  std::size_t q = 0;
  for (; q + 2 <= query_count; q += 2)
    out = stream<2, 2, 2>(blocks, 0, block_count, codes, queries, q, thresholds, out);
  if (q < query_count) out = stream<1, 2, 4>(blocks, 0, block_count, codes, queries, q, thresholds, out);
  return static_cast<std::size_t>(out - survivors);
}

}  // namespace granule
