// Compiled for 64-bit Arm with CRC32; only intrinsics and functions of this file.
#if defined(_MSC_VER)
#include <arm64_neon.h>
#else
#include <arm_acle.h>
#endif

#include "kernels/checksum/checksum.h"
#include "kernels/checksum/crc32c_streams.h"

namespace granule {
namespace {

inline uint64_t crc32c_step(uint64_t state, uint64_t word) {
  return __crc32cd(static_cast<uint32_t>(state), word);
}
inline uint64_t crc32c_step(uint64_t state, uint8_t byte) {
  return __crc32cb(static_cast<uint32_t>(state), byte);
}

}  // namespace

uint32_t crc32c_neondot(uint32_t crc, const void* data, std::size_t bytes) {
  return crc32c_in_streams(crc, data, bytes);
}

}  // namespace granule
