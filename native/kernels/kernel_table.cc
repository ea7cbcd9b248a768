#include "kernels/kernel_table.h"

#include <cstring>

namespace granule {
namespace {

// The name of a kernel and the kernel.
#define GRANULE_KERNEL(symbol) \
  { #symbol, symbol }

// A stronger set names what it does better than the one that it starts from.

constexpr KernelTable kScalar = {Isa::scalar,
                                 GRANULE_KERNEL(inner_product_f32_scalar),
                                 GRANULE_KERNEL(maxsim_fold_f64_scalar),
                                 GRANULE_KERNEL(softmax_terms_f32_scalar),
                                 GRANULE_KERNEL(softmax_select_f32_scalar),
                                 GRANULE_KERNEL(copy_finite_f32_scalar),
                                 GRANULE_KERNEL(squared_norm_f32_scalar),
                                 GRANULE_KERNEL(divide_f32_scalar),
                                 GRANULE_KERNEL(stream_copy_scalar),
                                 GRANULE_KERNEL(quantize_block_f32_scalar),
                                 GRANULE_KERNEL(code_scan_i8_scalar),
                                 GRANULE_KERNEL(code_scan_two_planes_i8_scalar),
                                 GRANULE_KERNEL(code_maxsim_i8_scalar),
                                 GRANULE_KERNEL(crc32c_scalar),
                                 GRANULE_KERNEL(widen_f16_scalar),
                                 GRANULE_KERNEL(widen_bf16_scalar),
                                 GRANULE_KERNEL(narrow_f16_scalar),
                                 GRANULE_KERNEL(narrow_bf16_scalar),
                                 GRANULE_KERNEL(pack_panel_f32_scalar),
                                 GRANULE_KERNEL(adamw_numbers_f32_scalar),
                                 GRANULE_KERNEL(matrix_tile_f32_scalar),
                                 kMatrixTileScalar};
#if defined(__x86_64__) || defined(_M_X64)
constexpr KernelTable kAvx2 = {Isa::avx2,
                               GRANULE_KERNEL(inner_product_f32_avx2),
                               GRANULE_KERNEL(maxsim_fold_f64_avx2),
                               GRANULE_KERNEL(softmax_terms_f32_avx2),
                               GRANULE_KERNEL(softmax_select_f32_avx2),
                               GRANULE_KERNEL(copy_finite_f32_avx2),
                               GRANULE_KERNEL(squared_norm_f32_avx2),
                               GRANULE_KERNEL(divide_f32_avx2),
                               GRANULE_KERNEL(stream_copy_avx2),
                               GRANULE_KERNEL(quantize_block_f32_avx2),
                               GRANULE_KERNEL(code_scan_i8_avx2),
                               GRANULE_KERNEL(code_scan_two_planes_i8_avx2),
                               GRANULE_KERNEL(code_maxsim_i8_avx2),
                               GRANULE_KERNEL(crc32c_avx2),
                               GRANULE_KERNEL(widen_f16_avx2),
                               GRANULE_KERNEL(widen_bf16_avx2),
                               GRANULE_KERNEL(narrow_f16_avx2),
                               GRANULE_KERNEL(narrow_bf16_avx2),
                               GRANULE_KERNEL(pack_panel_f32_avx2),
                               GRANULE_KERNEL(adamw_numbers_f32_avx2),
                               GRANULE_KERNEL(matrix_tile_f32_avx2),
                               kMatrixTileAvx2};
constexpr KernelTable kAvxVnni = [] {
  KernelTable table = kAvx2;
  table.isa = Isa::avxvnni;
  table.code_scan = GRANULE_KERNEL(code_scan_i8_avxvnni);
  table.code_scan_two_planes = GRANULE_KERNEL(code_scan_two_planes_i8_avxvnni);
  table.code_maxsim = GRANULE_KERNEL(code_maxsim_i8_avxvnni);
  return table;
}();
constexpr KernelTable kAvx512 = [] {
  KernelTable table = kAvx2;
  table.isa = Isa::avx512;
  table.inner_product = GRANULE_KERNEL(inner_product_f32_avx512);
  table.maxsim_fold = GRANULE_KERNEL(maxsim_fold_f64_avx512);
  table.softmax_terms = GRANULE_KERNEL(softmax_terms_f32_avx512);
  table.softmax_select = GRANULE_KERNEL(softmax_select_f32_avx512);
  table.quantize_block = GRANULE_KERNEL(quantize_block_f32_avx512);
  table.code_scan = GRANULE_KERNEL(code_scan_i8_avx512);
  table.code_scan_two_planes = GRANULE_KERNEL(code_scan_two_planes_i8_avx512);
  table.code_maxsim = GRANULE_KERNEL(code_maxsim_i8_avx512);
  table.widen_f16 = GRANULE_KERNEL(widen_f16_avx512);
  table.widen_bf16 = GRANULE_KERNEL(widen_bf16_avx512);
  table.narrow_f16 = GRANULE_KERNEL(narrow_f16_avx512);
  table.narrow_bf16 = GRANULE_KERNEL(narrow_bf16_avx512);
  table.adamw_numbers = GRANULE_KERNEL(adamw_numbers_f32_avx512);
  table.pack_panel = GRANULE_KERNEL(pack_panel_f32_avx512);
  table.matrix_tile = GRANULE_KERNEL(matrix_tile_f32_avx512);
  table.matrix_tile_shape = kMatrixTileAvx512;
  return table;
}();
constexpr KernelTable kAvx512Vnni = [] {
  KernelTable table = kAvx512;
  table.isa = Isa::avx512vnni;
  table.code_scan = GRANULE_KERNEL(code_scan_i8_avx512vnni);
  table.code_scan_two_planes = GRANULE_KERNEL(code_scan_two_planes_i8_avx512vnni);
  table.code_maxsim = GRANULE_KERNEL(code_maxsim_i8_avx512vnni);
  return table;
}();
#elif defined(__aarch64__) || defined(_M_ARM64)
constexpr KernelTable kNeon = {Isa::neon,
                               GRANULE_KERNEL(inner_product_f32_neon),
                               GRANULE_KERNEL(maxsim_fold_f64_neon),
                               GRANULE_KERNEL(softmax_terms_f32_neon),
                               GRANULE_KERNEL(softmax_select_f32_neon),
                               GRANULE_KERNEL(copy_finite_f32_scalar),
                               GRANULE_KERNEL(squared_norm_f32_scalar),
                               GRANULE_KERNEL(divide_f32_scalar),
                               GRANULE_KERNEL(stream_copy_scalar),
                               GRANULE_KERNEL(quantize_block_f32_neon),
                               GRANULE_KERNEL(code_scan_i8_neon),
                               GRANULE_KERNEL(code_scan_two_planes_i8_neon),
                               GRANULE_KERNEL(code_maxsim_i8_neon),
                               GRANULE_KERNEL(crc32c_scalar),
                               GRANULE_KERNEL(widen_f16_neon),
                               GRANULE_KERNEL(widen_bf16_neon),
                               GRANULE_KERNEL(narrow_f16_neon),
                               GRANULE_KERNEL(narrow_bf16_neon),
                               GRANULE_KERNEL(pack_panel_f32_scalar),
                               GRANULE_KERNEL(adamw_numbers_f32_scalar),
                               GRANULE_KERNEL(matrix_tile_f32_neon),
                               kMatrixTileNeon};
constexpr KernelTable kNeonDot = [] {
  KernelTable table = kNeon;
  table.isa = Isa::neondot;
  table.code_scan = GRANULE_KERNEL(code_scan_i8_neondot);
  table.code_scan_two_planes = GRANULE_KERNEL(code_scan_two_planes_i8_neondot);
  table.code_maxsim = GRANULE_KERNEL(code_maxsim_i8_neondot);
  table.crc32c = GRANULE_KERNEL(crc32c_neondot);
  return table;
}();
constexpr KernelTable kNeonI8mm = [] {
  KernelTable table = kNeonDot;
  table.isa = Isa::neoni8mm;
  table.code_scan = GRANULE_KERNEL(code_scan_i8_neoni8mm);
  table.code_scan_two_planes = GRANULE_KERNEL(code_scan_two_planes_i8_neoni8mm);
  table.code_maxsim = GRANULE_KERNEL(code_maxsim_i8_neoni8mm);
  return table;
}();
#endif

#undef GRANULE_KERNEL

std::string join(const std::vector<Isa>& isas) {
  std::string out;
  for (const Isa isa : isas) {
    if (!out.empty()) out += ", ";
    out += isa_name(isa);
  }
  return out;
}

}  // namespace

const KernelTable* kernel_table(Isa isa) {
  switch (isa) {
    case Isa::scalar:
      return &kScalar;
#if defined(__x86_64__) || defined(_M_X64)
    case Isa::avx2:
      return &kAvx2;
    case Isa::avxvnni:
      return &kAvxVnni;
    case Isa::avx512:
      return &kAvx512;
    case Isa::avx512vnni:
      return &kAvx512Vnni;
#elif defined(__aarch64__) || defined(_M_ARM64)
    case Isa::neon:
      return &kNeon;
    case Isa::neondot:
      return &kNeonDot;
    case Isa::neoni8mm:
      return &kNeonI8mm;
#endif
    default:
      return nullptr;
  }
}

std::vector<Isa> available_isas(const CpuFeatures& features) {
  std::vector<Isa> out;
  for (const Isa isa : kAllIsas) {
    if (kernel_table(isa) != nullptr && features.supports(isa)) out.push_back(isa);
  }
  return out;
}

std::vector<KernelName> kernel_names(const KernelTable& table) {
  return {{"innerProduct", table.inner_product.symbol},
          {"maxsim", table.maxsim_fold.symbol},
          {"softmaxTerms", table.softmax_terms.symbol},
          {"softmaxSelect", table.softmax_select.symbol},
          {"copyFinite", table.copy_finite.symbol},
          {"squaredNorm", table.squared_norm.symbol},
          {"divide", table.divide.symbol},
          {"streamCopy", table.stream_copy.symbol},
          {"quantize", table.quantize_block.symbol},
          {"codeScan", table.code_scan.symbol},
          {"codeScanTwoPlanes", table.code_scan_two_planes.symbol},
          {"codeMaxsim", table.code_maxsim.symbol},
          {"checksum", table.crc32c.symbol},
          {"widenF16", table.widen_f16.symbol},
          {"widenBf16", table.widen_bf16.symbol},
          {"narrowF16", table.narrow_f16.symbol},
          {"narrowBf16", table.narrow_bf16.symbol},
          {"packPanel", table.pack_panel.symbol},
          {"adamW", table.adamw_numbers.symbol},
          {"matrixTile", table.matrix_tile.symbol}};
}

Status choose_kernels(const CpuFeatures& features, const char* forced, KernelChoice* choice) {
  const std::vector<Isa> available = available_isas(features);
  if (forced == nullptr || *forced == '\0') {
    choice->table = kernel_table(available.back());
    choice->reason = "the strongest that this processor runs";
    return Status::success();
  }
  for (const Isa isa : available) {
    if (std::strcmp(forced, isa_name(isa)) == 0) {
      choice->table = kernel_table(isa);
      choice->reason = "forced by GRANULE_ISA";
      return Status::success();
    }
  }
  return Status::failure(StatusCode::isa_unsupported,
                         std::string("GRANULE_ISA is '") + forced +
                             "', but this processor and this build run only: " + join(available));
}

}  // namespace granule
