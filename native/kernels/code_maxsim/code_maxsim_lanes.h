#pragma once

// Bounds of similarities from codes for any width of registers: `Tile` says how many rows a register holds,
// how floats are handled and how a tile of integer dot products is made (kernels/code_tile_*.h). To be
// included by files of one instruction set each: everything is in an unnamed namespace, so that no file gets
// a copy that was compiled for another.

#include <cstddef>
#include <cstdint>

#include "kernels/code_maxsim/code_maxsim.h"
#include "kernels/inlining.h"

namespace granule {
namespace {

/// Bounds without biases of R registers of rows, from `part` on, for the Q query vectors from `first` on.
template <typename Tile, int Q, int R>
inline void bound_tile(const CodeBlocks& blocks, std::size_t part, const CodeMaxsimQueries& queries,
                       std::size_t first, float* uppers, std::size_t stride) {
  const std::size_t row = part * Tile::kLanes;
  float* out = uppers + first * stride + row;
  const int32_t* starts = queries.starts + first;
  Tile::template products<Q, R>(
      blocks.codes, blocks.groups, part, queries.codes + first * blocks.groups * 4,
      [&](int q) { return Tile::kOffsetRows ? starts[q] : 0; },
      [&](const typename Tile::Sums(&sum)[Q][R]) {
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) {
          const std::size_t at = static_cast<std::size_t>(r) * Tile::kLanes;
          const auto scale = Tile::load(blocks.scales + row + at);
          const auto margin = Tile::add(
              Tile::multiply(Tile::all(queries.norm_factor), Tile::load(blocks.code_norms + row + at)),
              Tile::multiply(Tile::all(queries.residual_factor),
                             Tile::load(blocks.residual_norms + row + at)));
#pragma GCC unroll 8
          for (int q = 0; q < Q; ++q) {
            Tile::store(out + static_cast<std::size_t>(q) * stride + at,
                        Tile::add(Tile::multiply(Tile::to_floats(sum[q][r]), scale), margin));
          }
        }
      });
}

/// The same for every block, R registers of rows at a time.
template <typename Tile, int Q, int R>
inline void bound_rows(const CodeBlocks& blocks, std::size_t block_count, const CodeMaxsimQueries& queries,
                       std::size_t first, float* uppers, std::size_t stride) {
  const std::size_t parts = block_count * (16 / Tile::kLanes);
  std::size_t p = 0;
  for (; p + R <= parts; p += R) bound_tile<Tile, Q, R>(blocks, p, queries, first, uppers, stride);
  for (; p < parts; ++p) bound_tile<Tile, Q, 1>(blocks, p, queries, first, uppers, stride);
}

/// Turns bounds without biases into those with them.
template <typename Tile>
inline void add_biases(const CodeBlocks& blocks, std::size_t row_count, const CodeMaxsimQueries& queries,
                       float* uppers, std::size_t stride) {
  for (std::size_t row = 0; row < row_count; row += Tile::kLanes) {
    const auto bias = Tile::load(blocks.biases + row);
    const auto upper_bias =
        Tile::add(bias, Tile::multiply(Tile::all(queries.bias_factor), Tile::magnitude(bias)));
    for (std::size_t q = 0; q < queries.count; ++q) {
      float* out = uppers + q * stride + row;
      Tile::store(out, Tile::add(Tile::multiply(Tile::all(queries.scales[q]), Tile::load(out)), upper_bias));
    }
  }
}

/// The greatest of `count` numbers, at least one.
template <typename Tile>
inline float greatest(const float* numbers, std::size_t count) {
  if (count < Tile::kLanes) {
    float out = numbers[0];
    for (std::size_t i = 1; i < count; ++i) out = numbers[i] > out ? numbers[i] : out;
    return out;
  }
  // The last register may overlap the one before it.
  auto out = Tile::load(numbers + count - Tile::kLanes);
  for (std::size_t i = 0; i + Tile::kLanes < count; i += Tile::kLanes) {
    out = Tile::greater(out, Tile::load(numbers + i));
  }
  return Tile::greatest_lane(out);
}

/// CodeMaxsim.
template <typename Tile>
inline void bound_similarities(const CodeBlocks& blocks, std::size_t block_count,
                               const CodeMaxsimQueries& queries, const CodeMaxsimSpans& spans, float* uppers,
                               std::size_t stride, float* maxima, std::size_t maxima_stride) {
  constexpr int kParts = 16 / Tile::kLanes;
  std::size_t q = 0;
  for (; q + Tile::kBatchQueries <= queries.count; q += Tile::kBatchQueries) {
    bound_rows<Tile, Tile::kBatchQueries, Tile::kBatchParts>(blocks, block_count, queries, q, uppers, stride);
  }
  for (; q + 4 <= queries.count; q += 4) {
    bound_rows<Tile, 4, kParts>(blocks, block_count, queries, q, uppers, stride);
  }
  for (; q + 2 <= queries.count; q += 2) {
    bound_rows<Tile, 2, kParts>(blocks, block_count, queries, q, uppers, stride);
  }
  if (q < queries.count) bound_rows<Tile, 1, kParts>(blocks, block_count, queries, q, uppers, stride);
  if (blocks.biases != nullptr) add_biases<Tile>(blocks, block_count * 16, queries, uppers, stride);
  for (std::size_t s = 0; s < spans.count; ++s) {
    const std::size_t begin = spans.begins[s];
    const std::size_t count = spans.begins[s + 1] - begin;
    for (std::size_t i = 0; i < queries.count; ++i) {
      maxima[s * maxima_stride + i] = greatest<Tile>(uppers + i * stride + begin, count);
    }
  }
}

}  // namespace
}  // namespace granule
