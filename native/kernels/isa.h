#pragma once

#include <cstdint>

namespace granule {

/// Instruction sets with kernels of their own, weakest first; what each needs of the processor is in
/// CpuFeatures::supports. The scalar kernels need nothing beyond the platform's ABI.
///
/// neondot is NEON with the dot product of signed bytes (FEAT_DotProd), neoni8mm with that of unsigned and
/// signed ones too (FEAT_I8MM); avxvnni is AVX2 with such dot products, on processors without AVX-512.
enum class Isa : uint8_t { scalar, neon, neondot, neoni8mm, avx2, avxvnni, avx512, avx512vnni };

inline constexpr Isa kAllIsas[] = {Isa::scalar, Isa::neon,    Isa::neondot, Isa::neoni8mm,
                                   Isa::avx2,   Isa::avxvnni, Isa::avx512,  Isa::avx512vnni};

/// The name used by GRANULE_ISA and in reports.
constexpr const char* isa_name(Isa isa) {
  switch (isa) {
    case Isa::neon:
      return "neon";
    case Isa::neondot:
      return "neondot";
    case Isa::neoni8mm:
      return "neoni8mm";
    case Isa::avx2:
      return "avx2";
    case Isa::avxvnni:
      return "avxvnni";
    case Isa::avx512:
      return "avx512";
    case Isa::avx512vnni:
      return "avx512vnni";
    default:
      return "scalar";
  }
}

}  // namespace granule
