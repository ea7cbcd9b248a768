#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "core/aligned_buffer.h"
#include "core/file.h"
#include "core/status.h"
#include "kernels/checksum/checksum.h"

namespace granule {

/// Vectors that stay in their file. Each block of 16 is checked against its checksum before it is first used.
class MappedVectors {
 public:
  /// @param offset of the first vector in the file
  /// @param checksums CRC-32C of each 16 vectors' bytes
  MappedVectors(MappedFile mapping, std::string name, uint64_t offset, uint64_t vector_count,
                std::size_t vector_bytes, AlignedBuffer<uint32_t> checksums, Crc32c* crc32c);

  const uint8_t* data() const { return data_; }

  /// Whether vectors are what was saved. May be called from several threads at once.
  bool verify(uint64_t first_vector, uint64_t count) const;

  /// Success, or index_corrupt with the first damage that `verify` has met.
  Status damage() const;

  /// Memory held beside the file.
  std::size_t bytes() const { return checksums_.bytes() + checked_.size() * sizeof(uint64_t); }

 private:
  bool verify_block(uint64_t block) const;

  const MappedFile mapping_;
  const std::string name_;
  const uint8_t* const data_;
  const uint64_t vector_count_;
  const std::size_t vector_bytes_;
  const AlignedBuffer<uint32_t> checksums_;
  Crc32c* const crc32c_;
  /// Bit b & 63 of word b >> 6: block b was found sound.
  mutable std::vector<std::atomic<uint64_t>> checked_;
  static constexpr uint64_t kSound = ~uint64_t{0};
  mutable std::atomic<uint64_t> damaged_block_{kSound};
};

/// What a message says of a block of vectors whose checksum does not hold.
std::string damaged_vectors(uint64_t block, uint64_t vector_count);

}  // namespace granule
