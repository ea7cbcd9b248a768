#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace granule {

/// Whether all are finite, without a branch per element: the exponent of a NaN or an infinity is all ones.
inline bool all_finite(const float* values, std::size_t count) {
  uint32_t any = 0;
  for (std::size_t i = 0; i < count; ++i) {
    uint32_t bits;
    std::memcpy(&bits, values + i, sizeof bits);
    any |= (bits & 0x7f800000u) == 0x7f800000u ? 1 : 0;
  }
  return any == 0;
}

}  // namespace granule
