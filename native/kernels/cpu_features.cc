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
#elif defined(__aarch64__) || defined(_M_ARM64)
#define GRANULE_ARM64 1
#if defined(__linux__)
#include <sys/auxv.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#elif defined(_WIN32)
#include <windows.h>
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

#if GRANULE_ARM64
/// Fills in what the operating system reports; where it reports nothing, plain NEON is what there is. The
/// numbers are those of the system's headers, of which older ones lack some.
void detect_arm_features(CpuFeatures* features) {
#if defined(__linux__)
  const unsigned long first = getauxval(AT_HWCAP);
  const unsigned long second = getauxval(AT_HWCAP2);
  features->crc32 = (first & (1ul << 7)) != 0;
  features->dotprod = (first & (1ul << 20)) != 0;
  features->i8mm = (second & (1ul << 13)) != 0;
#elif defined(__APPLE__)
  const auto has = [](const char* name) {
    int value = 0;
    size_t bytes = sizeof value;
    return sysctlbyname(name, &value, &bytes, nullptr, 0) == 0 && value != 0;
  };
  features->crc32 = has("hw.optional.armv8_crc32");
  features->dotprod = has("hw.optional.arm.FEAT_DotProd");
  features->i8mm = has("hw.optional.arm.FEAT_I8MM");
#elif defined(_WIN32)
  features->crc32 = IsProcessorFeaturePresent(31) != 0;
  features->dotprod = IsProcessorFeaturePresent(43) != 0;
  features->i8mm = IsProcessorFeaturePresent(66) != 0;
#endif
}
#endif

#if GRANULE_X86_64
constexpr bool bit(uint32_t word, int position) { return ((word >> position) & 1u) != 0; }
#endif

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
#elif GRANULE_ARM64
  features.neon = true;  // part of the 64-bit Arm ABI
  detect_arm_features(&features);
#endif
  return features;
}

bool CpuFeatures::supports(Isa isa) const {
  switch (isa) {
    case Isa::scalar:
      return true;
    case Isa::neon:
      return neon;
    case Isa::neondot:
      return neon && crc32 && dotprod;
    case Isa::neoni8mm:
      return supports(Isa::neondot) && i8mm;
    case Isa::avx2:
      return sse42 && avx2 && fma && f16c;
    case Isa::avxvnni:
      return supports(Isa::avx2) && avxvnni;
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
  } all[] = {{"sse42", sse42},       {"avx2", avx2},         {"fma", fma},
             {"f16c", f16c},         {"avx512f", avx512f},   {"avx512bw", avx512bw},
             {"avx512dq", avx512dq}, {"avx512vl", avx512vl}, {"avx512vnni", avx512vnni},
             {"avxvnni", avxvnni},   {"neon", neon},         {"crc32", crc32},
             {"dotprod", dotprod},   {"i8mm", i8mm}};
  std::vector<std::string> out;
  for (const auto& feature : all) {
    if (feature.present) out.emplace_back(feature.name);
  }
  return out;
}

}  // namespace granule
