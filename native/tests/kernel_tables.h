#pragma once

#include <algorithm>
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

/// Those tables that differ in more than what reads codes or bytes: enough where neither is read. Where
/// threads are watched, which are the same on all, the strongest alone.
inline std::vector<granule::KernelTable> float_tables() {
  const auto floats = [](const granule::KernelTable& table) {
    return std::vector<const char*>{
        table.inner_product.symbol,  table.maxsim_fold.symbol, table.softmax_terms.symbol,
        table.softmax_select.symbol, table.copy_finite.symbol, table.squared_norm.symbol,
        table.divide.symbol,         table.stream_copy.symbol, table.widen_f16.symbol,
        table.widen_bf16.symbol,     table.narrow_f16.symbol,  table.narrow_bf16.symbol,
        table.pack_panel.symbol,     table.matrix_tile.symbol, table.adamw_numbers.symbol};
  };
  std::vector<granule::KernelTable> out;
  for (const granule::KernelTable& table : tables()) {
    const bool is_new = std::none_of(out.begin(), out.end(), [&](const granule::KernelTable& other) {
      return floats(other) == floats(table);
    });
    if (is_new) out.push_back(table);
  }
#if defined(__SANITIZE_THREAD__)
  out = {out.back()};
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
