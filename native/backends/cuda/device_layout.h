#pragma once

#include <cstddef>
#include <cstdint>

#include "backends/cuda/host_device.h"

namespace granule::cuda {

/// Layout of int8 codes on a device: signed bytes, in tiles of rows; within a tile 64 dimensions at a time,
/// and within those 8 rows at a time, 16 bytes of each row:
///
///     step = dimension / 64                                             tile_rows * 64 bytes each
///       group = row / 8                                                 512 bytes
///         chunk = dimension % 64 / 16                                   128 bytes: 8 rows x 16 bytes
///
/// Eight rows of sixteen bytes are what the matrix instructions call a core matrix. A warp that reads a group
/// of a step reads 512 consecutive bytes, 16 in each lane, and whole steps of a tile are consecutive too.
/// Dimensions are padded to a multiple of 64 and rows to whole tiles, with zeros.
struct DeviceLayout {
  static constexpr unsigned kTileRows = 128;
  static constexpr unsigned kGroupRows = 8;
  static constexpr unsigned kStep = 64;
  static constexpr unsigned kChunk = 16;
  static constexpr unsigned kGroupBytes = kGroupRows * kStep;

  GRANULE_HD static constexpr unsigned steps(unsigned dimension) { return (dimension + kStep - 1) / kStep; }
  GRANULE_HD static constexpr std::size_t tiles(std::size_t rows, unsigned tile_rows = kTileRows) {
    return (rows + tile_rows - 1) / tile_rows;
  }
  GRANULE_HD static constexpr std::size_t tile_bytes(unsigned dimension, unsigned tile_rows = kTileRows) {
    return std::size_t{steps(dimension)} * kStep * tile_rows;
  }
  /// Where a number's code lies in its tile.
  GRANULE_HD static constexpr std::size_t offset(unsigned row, unsigned dimension,
                                                 unsigned tile_rows = kTileRows) {
    return std::size_t{dimension / kStep} * kStep * tile_rows + row / kGroupRows * kGroupBytes +
           dimension % kStep / kChunk * (kGroupRows * kChunk) + row % kGroupRows * kChunk +
           dimension % kChunk;
  }
};

}  // namespace granule::cuda
