#pragma once

#include <string>
#include <vector>

#include "kernels/kernel_table.h"
#if defined(__x86_64__) && defined(__GNUC__)
#include "tests/avxvnni_by_evex.h"
#endif

namespace test_kernels {

/// The tables of the instruction sets that run here; where AVX-VNNI does not but AVX-512's form of its
/// instruction does, also the kernels of AVX-VNNI in that encoding. Kernels' symbols tell them apart.
inline std::vector<granule::KernelTable> tables() {
  using namespace granule;
  const CpuFeatures features = detect_cpu_features();
  std::vector<KernelTable> out;
  for (const Isa isa : available_isas(features)) out.push_back(*kernel_table(isa));
#if defined(__x86_64__) && defined(__GNUC__)
  if (!features.supports(Isa::avxvnni) && features.supports(Isa::avx512vnni)) {
    KernelTable table = *kernel_table(Isa::avxvnni);
    table.code_scan = {"avxvnni_by_evex::code_scan", avxvnni_by_evex::code_scan};
    table.code_scan_two_planes = {"avxvnni_by_evex::code_scan_two_planes",
                                  avxvnni_by_evex::code_scan_two_planes};
    table.code_maxsim = {"avxvnni_by_evex::code_maxsim", avxvnni_by_evex::code_maxsim};
    out.push_back(table);
  }
#endif
  return out;
}

/// What stands in for an instruction set that does not run here, for the tests' output.
inline std::string stand_ins() {
  return tables().size() == granule::available_isas(granule::detect_cpu_features()).size()
             ? ""
             : "; avxvnni's scans of codes run in AVX-512's encoding";
}

}  // namespace test_kernels
