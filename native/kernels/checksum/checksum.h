#pragma once

#include <cstddef>
#include <cstdint>

namespace granule {

/// CRC-32C (Castagnoli; reflected polynomial 0x82f63b78, initial value and final xor 0xffffffff), as in iSCSI
/// and ext4: the checksum of "123456789" is 0xe3069283.
///
/// @param crc checksum of what came before, 0 at the start: crc32c(crc32c(0, a), b) = crc32c(0, ab)
/// @param data `bytes` bytes at any alignment
using Crc32c = uint32_t(uint32_t crc, const void* data, std::size_t bytes);

Crc32c crc32c_scalar;
Crc32c crc32c_avx2;
Crc32c crc32c_neondot;

/// The checksum of ab from those of a and b, so that parts can be summed by several threads. Takes about
/// 1,000 steps for any length.
///
/// @param bytes_b length of b
uint32_t crc32c_combine(uint32_t crc_a, uint32_t crc_b, uint64_t bytes_b);

}  // namespace granule
