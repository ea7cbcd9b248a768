#pragma once

#include <string>
#include <vector>

#include "kernels/isa.h"

namespace granule {

/// What this processor offers and the operating system saves on a context switch.
struct CpuFeatures {
  bool sse42 = false;
  bool avx2 = false;
  bool fma = false;
  bool f16c = false;
  bool avx512f = false;
  bool avx512bw = false;
  bool avx512dq = false;
  bool avx512vl = false;
  bool avx512vnni = false;
  bool avxvnni = false;
  bool neon = false;
  bool crc32 = false;
  bool dotprod = false;
  bool i8mm = false;

  /// Whether the kernels of `isa` run here.
  bool supports(Isa isa) const;
  /// The names of those that are there.
  std::vector<std::string> names() const;
};

CpuFeatures detect_cpu_features();

}  // namespace granule
