#include "refinement/coded_documents.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "core/code_layout.h"

namespace granule {
namespace {

constexpr std::size_t kBlockRows = CodeLayout::kBlockRows;
/// Blocks of one task.
constexpr std::size_t kTaskBlocks = 64;

}  // namespace

CodedDocuments::CodedDocuments(const float* vectors, std::size_t dimension, const uint32_t* lengths,
                               std::size_t count)
    : vectors_(vectors), dimension_(dimension), first_rows_(count + 1, 0) {
  for (std::size_t d = 0; d < count; ++d) first_rows_[d + 1] = first_rows_[d] + lengths[d];
  blocks_ = static_cast<std::size_t>((rows() + kBlockRows - 1) / kBlockRows);
  codes_ = AlignedBuffer<uint8_t>(blocks_ * CodeLayout::block_bytes(dimension));
  scales_ = AlignedBuffer<float>(blocks_ * kBlockRows);
  residual_norms_ = AlignedBuffer<float>(blocks_ * kBlockRows);
  code_norms_ = AlignedBuffer<float>(blocks_ * kBlockRows);
}

void CodedDocuments::code(ThreadPool& pool, unsigned threads, const KernelTable& kernels,
                          const CancelFlag& cancel, FirstNotFinite* first_bad) {
  std::atomic<bool> all_serve{true};
  pool.parallel_for((blocks_ + kTaskBlocks - 1) / kTaskBlocks, threads, [&](std::size_t task) {
    if (cancel.cancelled()) return;
    AlignedBuffer<float> scratch(kBlockRows * dimension_);
    const std::size_t end = std::min(blocks_, (task + 1) * kTaskBlocks);
    for (std::size_t block = task * kTaskBlocks; block < end; ++block) {
      if (!code_block(block, kernels, scratch.data(), first_bad)) {
        all_serve.store(false, std::memory_order_relaxed);
      }
    }
  });
  codes_serve_ = all_serve.load();
  norms_.assign(count(), std::numeric_limits<double>::infinity());
  if (!codes_serve_) return;
  for (std::size_t d = 0; d < count(); ++d) {
    double greatest = 0;
    for (uint64_t row = first_rows_[d]; row < first_rows_[d + 1]; ++row) {
      // |x| <= |xhat| + |x - xhat|
      greatest = std::max(greatest, static_cast<double>(code_norms_[row]) + residual_norms_[row]);
    }
    norms_[d] = greatest;
  }
}

bool CodedDocuments::code_block(std::size_t block, const KernelTable& kernels, float* scratch,
                                FirstNotFinite* first_bad) {
  const uint64_t first = block * kBlockRows;
  const std::size_t present = static_cast<std::size_t>(std::min<uint64_t>(kBlockRows, rows() - first));
  const std::size_t values = present * dimension_;
  if (!kernels.copy_finite(vector(first), values, scratch)) {
    const float* bad = std::find_if(scratch, scratch + values, [](float x) { return !std::isfinite(x); });
    const auto place = static_cast<std::size_t>(bad - scratch);
    first_bad->report(first + place / dimension_, place % dimension_, *bad);
    return false;
  }
  std::fill(scratch + values, scratch + kBlockRows * dimension_, 0.0f);
  QuantizeTraffic traffic;
  if (first + 2 * kBlockRows <= rows()) traffic.next = vector(first + kBlockRows);
  return kernels.quantize_block(
      scratch, dimension_, traffic, codes_.data() + block * CodeLayout::block_bytes(dimension_),
      scales_.data() + first, residual_norms_.data() + first, code_norms_.data() + first);
}

granule_segment CodedDocuments::segment() const {
  granule_segment segment{};
  segment.row_count = count();
  segment.vectors = vectors_;
  segment.row_offsets = first_rows_.data();
  segment.coded_vector_count = blocks_ * kBlockRows;
  segment.codes = codes_.data();
  segment.scales = scales_.data();
  segment.residual_norms = residual_norms_.data();
  segment.code_norms = code_norms_.data();
  return segment;
}

}  // namespace granule
