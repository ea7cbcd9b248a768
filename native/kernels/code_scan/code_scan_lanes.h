#pragma once

// A scan of codes for any width of registers: `Tile` says how many rows a register holds, how floats are
// handled and how a tile of integer dot products is made (kernels/code_tile_*.h). To be included by files of
// one instruction set each: everything is in an unnamed namespace, so that no file gets a copy that was
// compiled for another.

#include <cstddef>
#include <cstdint>

#include "kernels/code_scan/code_scan.h"
#include "kernels/code_scan/code_scan_quick_test.h"
#include "kernels/inlining.h"

namespace granule {
namespace {

constexpr std::size_t kBlockRows = 16;

/// A scan's input and where its next survivor goes.
struct Scan {
  const CodeBlocks& blocks;
  const int8_t* codes;
  const CodeQuery* queries;
  const float* thresholds;
  CodeSurvivor* next;
};

/// Appends the rows of a register that are kept.
template <typename Tile>
GRANULE_NEVER_INLINE void append(Scan& scan, std::size_t q, std::size_t row, typename Tile::Floats a,
                                 typename Tile::Floats w, uint32_t kept) {
  float lowers[Tile::kLanes];
  float uppers[Tile::kLanes];
  Tile::store(lowers, Tile::subtract(a, w));
  Tile::store(uppers, Tile::add(a, w));
  for (uint32_t r = 0; r < Tile::kLanes; ++r) {
    if (((kept >> r) & 1u) == 0) continue;
    *scan.next++ = {static_cast<uint32_t>(row) + r, static_cast<uint32_t>(q), lowers[r], uppers[r]};
  }
}

/// Decides on a register of rows from their approximate scores without bias and shift.
template <typename Tile>
GRANULE_ALWAYS_INLINE void keep(Scan& scan, std::size_t q, std::size_t row, typename Tile::Floats a) {
  const CodeBlocks& blocks = scan.blocks;
  const CodeQuery& query = scan.queries[q];
  auto w =
      Tile::add(Tile::multiply(Tile::all(query.norm_factor), Tile::load(blocks.code_norms + row)),
                Tile::multiply(Tile::all(query.residual_factor), Tile::load(blocks.residual_norms + row)));
  if (blocks.biases != nullptr) {
    const auto bias = Tile::load(blocks.biases + row);
    a = Tile::add(a, bias);
    w = Tile::add(w, Tile::multiply(Tile::all(query.bias_factor), Tile::magnitude(bias)));
  }
  a = Tile::add(a, Tile::all(query.shift));
  w = Tile::add(w, Tile::all(query.slack));
  const auto reaches = Tile::at_least(Tile::add(a, w), Tile::all(scan.thresholds[q]));
  if (Tile::any(reaches)) append<Tile>(scan, q, row, a, w, Tile::bits(reaches));
}

template <typename Tile>
GRANULE_ALWAYS_INLINE typename Tile::Floats scaled(const Scan& scan, std::size_t q, std::size_t row,
                                                   typename Tile::Sums sum) {
  return Tile::multiply(Tile::to_floats(sum), Tile::multiply(Tile::all(scan.queries[q].scale),
                                                             Tile::load(scan.blocks.scales + row)));
}

/// The same of a query of two planes.
template <typename Tile>
GRANULE_ALWAYS_INLINE typename Tile::Floats scaled(const Scan& scan, std::size_t q, std::size_t row,
                                                   typename Tile::Sums sum, typename Tile::Sums fine) {
  const CodeQuery& query = scan.queries[q];
  return Tile::multiply(Tile::add(Tile::multiply(Tile::to_floats(sum), Tile::all(query.scale)),
                                  Tile::multiply(Tile::to_floats(fine), Tile::all(query.fine_scale))),
                        Tile::load(scan.blocks.scales + row));
}

/// Every block for the Q queries of P planes from `first` on, in order of the memory.
template <typename Tile, int Q, int P>
inline void stream(Scan& scan, std::size_t block_count, std::size_t first) {
  constexpr int kParts = kBlockRows / Tile::kLanes;
  const std::size_t groups = scan.blocks.groups;
  const CodeQuery* queries = scan.queries + first;
  for (std::size_t b = 0; b < block_count; ++b) {
    Tile::template products<Q * P, kParts>(
        scan.blocks.codes, groups, b * kParts, scan.codes + first * P * groups * 4,
        [&](int s) {
          if (!Tile::kOffsetRows) return 0;
          return s % P == 0 ? -queries[s / P].offset : -queries[s / P].fine_offset;
        },
        [&](const typename Tile::Sums(&sum)[Q * P][kParts]) {
#pragma GCC unroll 8
          for (int q = 0; q < Q; ++q) {
#pragma GCC unroll 8
            for (int r = 0; r < kParts; ++r) {
              const std::size_t row = b * kBlockRows + static_cast<std::size_t>(r) * Tile::kLanes;
              const std::size_t at = first + static_cast<std::size_t>(q);
              keep<Tile>(scan, at, row,
                         P == 2 ? scaled<Tile>(scan, at, row, sum[q * P][r], sum[q * P + P - 1][r])
                                : scaled<Tile>(scan, at, row, sum[q * P][r]));
            }
          }
        });
  }
}

/// R registers of rows from `part` on for the queries of a batch's tile.
template <typename Tile, int R, bool Biased>
inline void quick_tile(Scan& scan, std::size_t part, const QuickRows& rows, std::size_t at, std::size_t first,
                       const QuickQuery* quick) {
  constexpr int kQueries = Tile::kBatchQueries;
  const std::size_t groups = scan.blocks.groups;
  const CodeQuery* queries = scan.queries + first;
  Tile::template products<kQueries, R>(
      scan.blocks.codes, groups, part, scan.codes + first * groups * 4,
      [&](int q) { return Tile::kOffsetRows ? -queries[q].offset : 0; },
      [&](const typename Tile::Sums(&sum)[kQueries][R]) {
        uint32_t passed = 0;
#pragma GCC unroll 8
        for (int q = 0; q < kQueries; ++q) {
          typename Tile::Mask reaches[R];
#pragma GCC unroll 8
          for (int r = 0; r < R; ++r) {
            const std::size_t row = at + static_cast<std::size_t>(r) * Tile::kLanes;
            auto least =
                Tile::subtract(Tile::multiply(Tile::all(quick[q].rise), Tile::load(rows.inverses + row)),
                               Tile::multiply(Tile::all(quick[q].reach), Tile::load(rows.widths + row)));
            if (Biased) {
              least = Tile::subtract(least,
                                     Tile::multiply(Tile::all(quick[q].pull), Tile::load(rows.biases + row)));
            }
            reaches[r] = Tile::not_below(Tile::to_floats(sum[q][r]), least);
          }
#pragma GCC unroll 8
          for (int r = 1; r < R; ++r) reaches[0] = Tile::either(reaches[0], reaches[r]);
          passed |= (Tile::any(reaches[0]) ? 1u : 0u) << q;
        }
        if (passed == 0) return;
        int32_t sums[kQueries][R][Tile::kLanes];
#pragma GCC unroll 8
        for (int q = 0; q < kQueries; ++q) {
#pragma GCC unroll 8
          for (int r = 0; r < R; ++r) Tile::store(sums[q][r], sum[q][r]);
        }
        for (std::size_t q = 0; q < kQueries; ++q) {
          if (((passed >> q) & 1u) == 0) continue;
          for (std::size_t r = 0; r < R; ++r) {
            const std::size_t row = (part + r) * Tile::kLanes;
            keep<Tile>(scan, first + q, row, scaled<Tile>(scan, first + q, row, Tile::load(sums[q][r])));
          }
        }
      });
}

/// Whole tiles of queries, from `first` on, with the quick test.
template <typename Tile, bool Biased>
inline void scan_batch(Scan& scan, std::size_t block_count, std::size_t first, std::size_t count) {
  constexpr std::size_t kParts = kBlockRows / Tile::kLanes;
  constexpr std::size_t kChunkParts = QuickRows::kMost / Tile::kLanes;
  constexpr std::size_t kTileParts = Tile::kBatchParts;
  QuickQueries quick;
  quick_queries(scan.queries + first, scan.thresholds + first, count, &quick);
  for (std::size_t begin = 0; begin < block_count * kParts; begin += kChunkParts) {
    const std::size_t left = block_count * kParts - begin;
    const std::size_t end = begin + (left < kChunkParts ? left : kChunkParts);
    QuickRows rows;
    quick_rows(scan.blocks, begin * Tile::kLanes, (end - begin) * Tile::kLanes, quick, &rows);
    for (std::size_t q = 0; q < count; q += Tile::kBatchQueries) {
      std::size_t p = begin;
      for (; p + kTileParts <= end; p += kTileParts) {
        quick_tile<Tile, Tile::kBatchParts, Biased>(scan, p, rows, (p - begin) * Tile::kLanes, first + q,
                                                    quick.query + q);
      }
      for (; p < end; ++p) {
        quick_tile<Tile, 1, Biased>(scan, p, rows, (p - begin) * Tile::kLanes, first + q, quick.query + q);
      }
    }
  }
}

/// CodeScan of queries of one plane.
template <typename Tile>
inline std::size_t scan_codes(const CodeBlocks& blocks, std::size_t block_count, const int8_t* codes,
                              const CodeQuery* queries, std::size_t query_count, const float* thresholds,
                              CodeSurvivor* survivors) {
  // Fewer queries do not pay for the terms of the quick test.
  constexpr std::size_t kLeastBatch = 8;
  Scan scan{blocks, codes, queries, thresholds, survivors};
  std::size_t q = 0;
  while (query_count - q >= kLeastBatch) {
    const std::size_t left = query_count - q < QuickQueries::kMost ? query_count - q : QuickQueries::kMost;
    const std::size_t count = left / Tile::kBatchQueries * Tile::kBatchQueries;
    if (blocks.biases != nullptr) {
      scan_batch<Tile, true>(scan, block_count, q, count);
    } else {
      scan_batch<Tile, false>(scan, block_count, q, count);
    }
    q += count;
  }
  for (; q + 4 <= query_count; q += 4) stream<Tile, 4, 1>(scan, block_count, q);
  for (; q + 2 <= query_count; q += 2) stream<Tile, 2, 1>(scan, block_count, q);
  if (q < query_count) stream<Tile, 1, 1>(scan, block_count, q);
  return static_cast<std::size_t>(scan.next - survivors);
}

/// CodeScan of queries of two planes.
template <typename Tile>
inline std::size_t scan_codes_two_planes(const CodeBlocks& blocks, std::size_t block_count,
                                         const int8_t* codes, const CodeQuery* queries,
                                         std::size_t query_count, const float* thresholds,
                                         CodeSurvivor* survivors) {
  Scan scan{blocks, codes, queries, thresholds, survivors};
  std::size_t q = 0;
  for (; q + 2 <= query_count; q += 2) stream<Tile, 2, 2>(scan, block_count, q);
  if (q < query_count) stream<Tile, 1, 2>(scan, block_count, q);
  return static_cast<std::size_t>(scan.next - survivors);
}

}  // namespace
}  // namespace granule
