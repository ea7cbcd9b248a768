#include <cstdint>
#include <cstring>

#include "core/canonical_dot.h"
#include "kernels/prepare/prepare.h"

namespace granule {

bool copy_finite_f32_scalar(const float* in, std::size_t count, float* __restrict out) {
  // The exponent of a NaN or an infinity is all ones. No branch per element.
  uint32_t any = 0;
  for (std::size_t i = 0; i < count; ++i) {
    uint32_t bits;
    std::memcpy(&bits, in + i, sizeof bits);
    std::memcpy(out + i, &bits, sizeof bits);
    any |= (bits & 0x7f800000u) == 0x7f800000u ? 1 : 0;
  }
  return any == 0;
}

double squared_norm_f32_scalar(const float* vector, std::size_t dimension) {
  return canonical_dot(vector, vector, dimension);
}

void divide_f32_scalar(float* vector, std::size_t dimension, double divisor) {
  for (std::size_t i = 0; i < dimension; ++i)
    vector[i] = static_cast<float>(static_cast<double>(vector[i]) / divisor);
}

void stream_copy_scalar(const void* in, std::size_t bytes, void* out) { std::memcpy(out, in, bytes); }

}  // namespace granule
