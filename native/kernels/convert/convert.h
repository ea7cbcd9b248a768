#pragma once

#include <cstddef>
#include <cstdint>

namespace granule {

/// Numbers of a 16-bit dtype as float32, which is exact. Any alignment; in and out do not overlap.
using WidenNumbers = void(const uint16_t* in, std::size_t count, float* out);

/// float32 to the nearest number of a 16-bit dtype, ties to even; what is too large becomes an infinity. The
/// same bits on every instruction set, denormals included.
///
/// @param in no NaN
using NarrowNumbers = void(const float* in, std::size_t count, uint16_t* out);

WidenNumbers widen_f16_scalar;
WidenNumbers widen_bf16_scalar;
NarrowNumbers narrow_f16_scalar;
NarrowNumbers narrow_bf16_scalar;

}  // namespace granule
