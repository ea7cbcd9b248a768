#pragma once

#include <cstddef>
#include <cstdint>

namespace granule {

// float32 to and from the two 16-bit storage types: f16 (IEEE binary16) and bf16 (the upper half of a
// float32). Both pointers may have any alignment.

/// out[i] = in[i], exactly. A NaN stays one (f16: a quiet one).
using Widen = void(const uint16_t* in, std::size_t count, float* out);

/// out[i] = in[i] rounded to the nearest, ties to even. What lies beyond the largest finite number becomes
/// infinity; small numbers become denormals or zero of their sign.
///
/// @param in no NaN
using Narrow = void(const float* in, std::size_t count, uint16_t* out);

Widen widen_f16_scalar;
Widen widen_f16_avx2;
Widen widen_f16_avx512;
Widen widen_f16_neon;

Widen widen_bf16_scalar;
Widen widen_bf16_avx2;
Widen widen_bf16_avx512;
Widen widen_bf16_neon;

Narrow narrow_f16_scalar;
Narrow narrow_f16_avx2;
Narrow narrow_f16_avx512;
Narrow narrow_f16_neon;

Narrow narrow_bf16_scalar;
Narrow narrow_bf16_avx2;
Narrow narrow_bf16_avx512;
Narrow narrow_bf16_neon;

}  // namespace granule
