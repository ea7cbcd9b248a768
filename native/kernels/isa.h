#pragma once

#include <cstdint>

namespace granule {

/// Instruction sets with kernels of their own, weakest first. The scalar kernels need nothing beyond the
/// platform's ABI.
enum class Isa : uint8_t { scalar, neon, avx2, avx512, avx512vnni };

inline constexpr Isa kAllIsas[] = {Isa::scalar, Isa::neon, Isa::avx2, Isa::avx512, Isa::avx512vnni};

/// The name used by GRANULE_ISA and in reports.
constexpr const char* isa_name(Isa isa) {
  switch (isa) {
    case Isa::neon:
      return "neon";
    case Isa::avx2:
      return "avx2";
    case Isa::avx512:
      return "avx512";
    case Isa::avx512vnni:
      return "avx512vnni";
    default:
      return "scalar";
  }
}

}  // namespace granule
