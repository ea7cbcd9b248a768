// Compiled for AVX2, which brings SSE 4.2 and its crc32 instruction; only intrinsics and functions of this
// file (see inner_product_avx2.cc).
#include <immintrin.h>

#include "kernels/checksum/checksum.h"
#include "kernels/checksum/crc32c_streams.h"

namespace granule {
namespace {

inline uint64_t crc32c_step(uint64_t state, uint64_t word) { return _mm_crc32_u64(state, word); }
inline uint64_t crc32c_step(uint64_t state, uint8_t byte) {
  return _mm_crc32_u8(static_cast<uint32_t>(state), byte);
}

}  // namespace

uint32_t crc32c_avx2(uint32_t crc, const void* data, std::size_t bytes) {
  return crc32c_in_streams(crc, data, bytes);
}

}  // namespace granule
