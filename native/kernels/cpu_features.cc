#include "kernels/cpu_features.h"

#include <cstdint>

#if defined(__x86_64__) || defined(_M_X64)
#define GRANULE_X86_64 1
#if defined(_MSC_VER)
#include <immintrin.h>
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#endif

namespace granule {
namespace {

#if GRANULE_X86_64
struct CpuidLeaf {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

CpuidLeaf cpuid(uint32_t leaf, uint32_t subleaf) {
  CpuidLeaf out;
#if defined(_MSC_VER)
  int registers[4];
  __cpuidex(registers, static_cast<int>(leaf), static_cast<int>(subleaf));
  out = {static_cast<uint32_t>(registers[0]), static_cast<uint32_t>(registers[1]),
         static_cast<uint32_t>(registers[2]), static_cast<uint32_t>(registers[3])};
#else
  if (__get_cpuid_count(leaf, subleaf, &out.eax, &out.ebx, &out.ecx, &out.edx) == 0) return {};
#endif
  return out;
}

/// The register states that the operating system saves (XCR0).
uint64_t saved_states() {
#if defined(_MSC_VER)
  return _xgetbv(0);
#else
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<uint64_t>(high) << 32) | low;
#endif
}
#endif

constexpr bool bit(uint32_t word, int position) { return ((word >> position) & 1u) != 0; }

}  // namespace

CpuFeatures detect_cpu_features() {
  CpuFeatures features;
#if GRANULE_X86_64
  const CpuidLeaf one = cpuid(1, 0);
  const bool osxsave = bit(one.ecx, 27);
  const uint64_t states = osxsave ? saved_states() : 0;
  const bool ymm = (states & 0x6) == 0x6;
  const bool zmm = (states & 0xe6) == 0xe6;
  const CpuidLeaf seven = cpuid(7, 0);
  const CpuidLeaf seven_one = cpuid(7, 1);
  features.sse42 = bit(one.ecx, 20);
  if (ymm && bit(one.ecx, 28)) {
    features.fma = bit(one.ecx, 12);
    features.f16c = bit(one.ecx, 29);
    features.avx2 = bit(seven.ebx, 5);
    features.avxvnni = bit(seven_one.eax, 4);
  }
  if (zmm) {
    features.avx512f = bit(seven.ebx, 16);
    features.avx512dq = bit(seven.ebx, 17);
    features.avx512bw = bit(seven.ebx, 30);
    features.avx512vl = bit(seven.ebx, 31);
    features.avx512vnni = bit(seven.ecx, 11);
  }
#elif defined(__aarch64__) || defined(_M_ARM64)
  features.neon = true;  // part of the 64-bit Arm ABI
#endif
  return features;
}

bool CpuFeatures::supports(Isa isa) const {
  switch (isa) {
    case Isa::scalar:
      return true;
    case Isa::neon:
      return neon;
    case Isa::avx2:
      return sse42 && avx2 && fma && f16c;
    case Isa::avx512:
      return supports(Isa::avx2) && avx512f && avx512bw && avx512dq && avx512vl;
    case Isa::avx512vnni:
      return supports(Isa::avx512) && avx512vnni;
  }
  return false;
}

std::vector<std::string> CpuFeatures::names() const {
  const struct {
    const char* name;
    bool present;
  } all[] = {
      {"avx2", avx2},         {"fma", fma},           {"f16c", f16c},         {"avx512f", avx512f},
      {"avx512bw", avx512bw}, {"avx512dq", avx512dq}, {"avx512vl", avx512vl}, {"avx512vnni", avx512vnni},
      {"avxvnni", avxvnni},   {"neon", neon}};
  std::vector<std::string> out;
  for (const auto& feature : all) {
    if (feature.present) out.emplace_back(feature.name);
  }
  return out;
}

}  // namespace granule
