#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/status.h"
#include "kernels/adamw/adamw.h"
#include "kernels/checksum/checksum.h"
#include "kernels/code_maxsim/code_maxsim.h"
#include "kernels/code_scan/code_scan.h"
#include "kernels/convert/convert.h"
#include "kernels/cpu_features.h"
#include "kernels/inner_product/inner_product.h"
#include "kernels/isa.h"
#include "kernels/matrix_product/matrix_product.h"
#include "kernels/maxsim/maxsim.h"
#include "kernels/prepare/prepare.h"
#include "kernels/quantize/quantize.h"
#include "kernels/softmax_top_k/softmax_top_k.h"

namespace granule {

/// A kernel and its symbol, for reports. It is called like the function.
template <typename Function>
struct Kernel {
  const char* symbol;
  Function* function;

  template <typename... Arguments>
  auto operator()(Arguments&&... arguments) const {
    return function(std::forward<Arguments>(arguments)...);
  }
};

/// The kernels of one instruction set: every operation of the engine, each by the best version that the set
/// has.
struct KernelTable {
  Isa isa;
  Kernel<InnerProductTile> inner_product;
  Kernel<MaxsimFold> maxsim_fold;
  Kernel<SoftmaxTerms> softmax_terms;
  Kernel<SoftmaxSelect> softmax_select;
  Kernel<CopyFinite> copy_finite;
  Kernel<SquaredNorm> squared_norm;
  Kernel<Divide> divide;
  Kernel<StreamCopy> stream_copy;
  Kernel<QuantizeBlock> quantize_block;
  Kernel<CodeScan> code_scan;
  Kernel<CodeScan> code_scan_two_planes;
  Kernel<CodeMaxsim> code_maxsim;
  Kernel<Crc32c> crc32c;
  Kernel<Widen> widen_f16;
  Kernel<Widen> widen_bf16;
  Kernel<Narrow> narrow_f16;
  Kernel<Narrow> narrow_bf16;
  Kernel<PackPanel> pack_panel;
  Kernel<AdamWNumbers> adamw_numbers;
  Kernel<MatrixTile> matrix_tile;
  MatrixTileShape matrix_tile_shape;
};

/// An operation and the symbol that runs it, for reports.
struct KernelName {
  const char* operation;
  const char* symbol;
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
