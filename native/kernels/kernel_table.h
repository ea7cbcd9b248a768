#pragma once

#include <string>
#include <vector>

#include "core/status.h"
#include "kernels/cpu_features.h"
#include "kernels/inner_product/inner_product.h"
#include "kernels/isa.h"
#include "kernels/maxsim/maxsim.h"
#include "kernels/softmax_top_k/softmax_top_k.h"

namespace granule {

/// The kernels of one instruction set: every operation of the engine, each by the best version that the set
/// has.
struct KernelTable {
  Isa isa;
  InnerProductTile* inner_product;
  MaxsimFold* maxsim_fold;
  SoftmaxTerms* softmax_terms;
  SoftmaxSelect* softmax_select;
};

/// An operation and the symbol that runs it, for reports.
struct KernelName {
  const char* operation;
  std::string symbol;
};

/// The table of `isa`, or null where it was not compiled in.
const KernelTable* kernel_table(Isa isa);

/// Instruction sets that were compiled in and that `features` can run, weakest first.
std::vector<Isa> available_isas(const CpuFeatures& features);

std::vector<KernelName> kernel_names(const KernelTable& table);

/// Which table to use, and why.
struct KernelChoice {
  const KernelTable* table = nullptr;
  std::string reason;
};

/// Chooses the strongest available table, or the one that `forced` (the value of GRANULE_ISA; null or empty:
/// none) names.
/// @return isa_unsupported where the forced one is unknown or cannot run here
Status choose_kernels(const CpuFeatures& features, const char* forced, KernelChoice* choice);

}  // namespace granule
