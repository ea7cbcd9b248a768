#include "kernels/kernel_table.h"

#include <cstring>

namespace granule {
namespace {

#define GRANULE_KERNELS(isa)                                                           \
  {                                                                                    \
    Isa::isa, inner_product_f32_##isa, maxsim_fold_f64_##isa, softmax_terms_f32_##isa, \
        softmax_select_f32_##isa                                                       \
  }

constexpr KernelTable kScalar = GRANULE_KERNELS(scalar);
#if defined(__x86_64__) || defined(_M_X64)
constexpr KernelTable kAvx2 = GRANULE_KERNELS(avx2);
constexpr KernelTable kAvx512 = GRANULE_KERNELS(avx512);
#elif defined(__aarch64__) || defined(_M_ARM64)
constexpr KernelTable kNeon = GRANULE_KERNELS(neon);
#endif

#undef GRANULE_KERNELS

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
    case Isa::avx512:
      return &kAvx512;
#elif defined(__aarch64__) || defined(_M_ARM64)
    case Isa::neon:
      return &kNeon;
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
  const std::string suffix = std::string("_") + isa_name(table.isa);
  return {{"innerProduct", "inner_product_f32" + suffix},
          {"maxsim", "maxsim_fold_f64" + suffix},
          {"softmaxTerms", "softmax_terms_f32" + suffix},
          {"softmaxSelect", "softmax_select_f32" + suffix}};
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
