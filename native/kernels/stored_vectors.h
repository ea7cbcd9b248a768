#pragma once

#include <cstddef>
#include <cstdint>

#include "core/dtype.h"
#include "kernels/kernel_table.h"

namespace granule {

/// Stored numbers as float32, which is exact: where they lie, or widened into `scratch`, which has room for
/// `count` unless they are float32 already.
inline const float* as_float32(const KernelTable& kernels, Dtype dtype, const void* stored, std::size_t count,
                               float* scratch) {
  switch (dtype) {
    case Dtype::f16:
      kernels.widen_f16(static_cast<const uint16_t*>(stored), count, scratch);
      return scratch;
    case Dtype::bf16:
      kernels.widen_bf16(static_cast<const uint16_t*>(stored), count, scratch);
      return scratch;
    default:
      return static_cast<const float*>(stored);
  }
}

}  // namespace granule
