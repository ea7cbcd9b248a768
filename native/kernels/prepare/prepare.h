#pragma once

#include <cstddef>

namespace granule {

// What becomes of new vectors before an index keeps them. All but the stream copy read and write float32 of
// any alignment.

/// Copies, and says whether all are finite. Each number is read once, so that what was checked is what is
/// kept even if the input changes meanwhile.
using CopyFinite = bool(const float* in, std::size_t count, float* out);

/// The reference inner product of a vector with itself, before its rounding: bit for bit
/// canonical_dot(vector, vector, dimension) (core/canonical_dot.h).
using SquaredNorm = double(const float* vector, std::size_t dimension);

/// vector[i] = float32(vector[i] / divisor), the division in float64.
using Divide = void(float* vector, std::size_t dimension, double divisor);

/// Copies what will not be read soon, where the instruction set can without loading the cache lines that it
/// overwrites: a third less to move. Other threads see it once they are synchronised with this one.
///
/// @param out at a border of 32 bytes
using StreamCopy = void(const void* in, std::size_t bytes, void* out);

CopyFinite copy_finite_f32_scalar;
CopyFinite copy_finite_f32_avx2;

SquaredNorm squared_norm_f32_scalar;
SquaredNorm squared_norm_f32_avx2;

Divide divide_f32_scalar;
Divide divide_f32_avx2;

StreamCopy stream_copy_scalar;
StreamCopy stream_copy_avx2;

}  // namespace granule
