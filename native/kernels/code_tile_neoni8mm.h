#pragma once

// To be included by files that are compiled for NEON with FEAT_I8MM, and by no other.

#include "kernels/code_tile_neon.h"

namespace granule {
namespace {

/// Products by the dot product of unsigned bytes, as rows are stored, with signed ones.
struct ProductsNeonI8mm {
  static constexpr bool kOffsetRows = true;
  // 16 sums, a register of rows and four of queries.
  static constexpr int kBatchQueries = 4;
  static constexpr int kBatchParts = 4;

  using Rows = uint8x16_t;

  static GRANULE_ALWAYS_INLINE Rows load(const uint8_t* bytes) { return vld1q_u8(bytes); }

  template <int Group>
  static GRANULE_ALWAYS_INLINE void add(int32x4_t& sum, Rows rows, int8x16_t queries) {
    sum = vusdotq_laneq_s32(sum, rows, queries, Group);
  }
};

}  // namespace
}  // namespace granule
