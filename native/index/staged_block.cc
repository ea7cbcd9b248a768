#include "index/staged_block.h"

#include <cstring>

#include "core/code_layout.h"
#include "kernels/stored_vectors.h"

namespace granule {
namespace {

constexpr std::size_t kRows = CodeLayout::kBlockRows;

}  // namespace

StagedBlock::StagedBlock(const KernelTable& kernels, const StoreOptions& options, bool streamed)
    : kernels_(kernels),
      options_(options),
      streamed_(streamed),
      vectors_(kRows * options.dimension),
      narrowed_(options.dtype != Dtype::f32 ? kRows * options.vector_bytes() : 0),
      widened_(options.dtype != Dtype::f32 ? kRows * options.dimension : 0),
      unused_norms_(options.dtype != Dtype::f32 && options.metric == Metric::squared_l2 ? kRows : 0) {}

bool StagedBlock::prepare(const float* vectors, std::size_t count, uint64_t first_row, double* squared_norms,
                          FirstNotFinite* first_bad) {
  const std::size_t d = options_.dimension;
  const bool narrow = options_.dtype != Dtype::f32;
  if (!prepare_vectors(kernels_, vectors, count, d, options_.metric, first_row, vectors_.data(),
                       narrow ? unused_norms_.data() : squared_norms, first_bad)) {
    return false;
  }
  return !narrow || narrow_vectors(kernels_, options_.dtype, vectors_.data(), count, d, first_row,
                                   narrowed_.data(), squared_norms, first_bad);
}

const uint8_t* StagedBlock::prepared() const {
  return options_.dtype != Dtype::f32 ? narrowed_.data() : reinterpret_cast<const uint8_t*>(vectors_.data());
}

bool StagedBlock::encode(const void* vectors, const QuantizeTraffic& traffic, Segment& segment,
                         std::size_t at) {
  const std::size_t d = options_.dimension;
  const float* values = as_float32(kernels_, options_.dtype, vectors, kRows * d, widened_.data());
  return kernels_.quantize_block(
      values, d, traffic, segment.codes.data() + at / kRows * CodeLayout::block_bytes(d),
      segment.scales.data() + at, segment.residual_norms.data() + at, segment.code_norms.data() + at);
}

bool StagedBlock::store_whole(Segment& segment, std::size_t at, const float* next) {
  uint8_t* const out = segment.vectors.data() + at * options_.vector_bytes();
  QuantizeTraffic traffic{next, nullptr, streamed_};
  if (streamed_ && options_.coded && options_.dtype == Dtype::f32) {
    traffic.copy = reinterpret_cast<float*>(out);
  } else if (streamed_) {
    kernels_.stream_copy(prepared(), kRows * options_.vector_bytes(), out);
  } else {
    store_part(segment, at, kRows);
  }
  return !options_.coded || encode(prepared(), traffic, segment, at);
}

void StagedBlock::store_part(Segment& segment, std::size_t at, std::size_t count) const {
  std::memcpy(segment.vectors.data() + at * options_.vector_bytes(), prepared(),
              count * options_.vector_bytes());
}

bool StagedBlock::encode_stored(Segment& segment, std::size_t at) {
  return encode(segment.vectors.data() + at * options_.vector_bytes(), {}, segment, at);
}

}  // namespace granule
