#if defined(__linux__) && defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "bench/roofline_loops.h"
#include "kernels/cpu_features.h"

namespace granule {
namespace {

#if defined(__aarch64__) && defined(__GNUC__)
bool has_dotprod() {
#if defined(__linux__)
  return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#else
  return true;  // every 64-bit Arm processor of Apple
#endif
}
#endif

}  // namespace

RooflineLoops choose_roofline_loops() {
#if defined(__x86_64__) || defined(_M_X64)
  const CpuFeatures features = detect_cpu_features();
  if (features.avx512f && features.avx512bw) {
    RooflineLoops loops = kRooflineAvx512;
    if (features.avx512vnni) {
      loops.name = "avx512vnni";
      loops.dot_int8 = dot_int8_avx512vnni;
      loops.dot_int8_instruction = "vpdpbusd (512 bits)";
    }
    return loops;
  }
  if (features.avx2 && features.fma) {
    RooflineLoops loops = kRooflineAvx2;
#if defined(__GNUC__)
    if (features.avxvnni) {
      loops.name = "avxvnni";
      loops.dot_int8 = dot_int8_avxvnni;
      loops.dot_int8_instruction = "vpdpbusd (256 bits)";
    }
#endif
    return loops;
  }
  return kRooflineScalar;
#elif defined(__aarch64__) || defined(_M_ARM64)
  RooflineLoops loops = kRooflineNeon;
#if defined(__GNUC__)
  if (has_dotprod()) {
    loops.name = "neon dotprod";
    loops.dot_int8 = dot_int8_neon_dotprod;
    loops.dot_int8_instruction = "sdot (128 bits)";
  }
#endif
  return loops;
#else
  return kRooflineScalar;
#endif
}

}  // namespace granule
