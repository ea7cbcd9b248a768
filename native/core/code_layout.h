#pragma once

#include <cstddef>

namespace granule {

/// Layout of int8 codes. Rows lie in blocks of 16; within a block four dimensions at a time, row by row:
///
///     byte ((group * 16) + row) * 4 + i   holds   code(row, 4 * group + i) + 128   as an unsigned byte
///
/// so that one 64-byte load feeds sixteen 32-bit lanes, one per row, of a dot-product instruction, and a
/// block needs no horizontal sums. Dimensions are padded to a multiple of four with code 0 (byte 128);
/// queries hold 0 there.
struct CodeLayout {
  static constexpr std::size_t kBlockRows = 16;
  static constexpr std::size_t kGroup = 4;

  static constexpr std::size_t groups(std::size_t dimension) { return (dimension + kGroup - 1) / kGroup; }
  /// Bytes of one block.
  static constexpr std::size_t block_bytes(std::size_t dimension) {
    return groups(dimension) * kBlockRows * kGroup;
  }
};

}  // namespace granule
