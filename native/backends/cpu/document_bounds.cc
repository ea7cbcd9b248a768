#include "backends/cpu/document_bounds.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/code_layout.h"

namespace granule {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
/// Blocks that all query vectors pass over before the next ones: their codes stay in the first-level or
/// second-level cache, and the bounds of one group of query vectors in the first-level cache.
constexpr std::size_t kStripBlocks = 24;
constexpr std::size_t kStripRows = kStripBlocks * CodeLayout::kBlockRows;
/// Spans are not longer than this.
constexpr std::size_t kSpanBlocks = 8;

float quotient_rounded_up(float value, float divisor) {
  const double quotient = static_cast<double>(value) / static_cast<double>(divisor);
  return std::nextafter(static_cast<float>(quotient), kInfinity);
}

}  // namespace

DocumentBounds::DocumentBounds(const CpuBackend& backend, const granule_search& search,
                               const CodedQueries& queries, std::size_t first_vector,
                               std::size_t vector_count)
    : backend_(backend),
      dimension_(search.dimension),
      vector_count_(vector_count),
      biased_(static_cast<Metric>(search.metric) == Metric::squared_l2) {
  set_queries(queries, first_vector);
}

void DocumentBounds::set_queries(const CodedQueries& queries, std::size_t first_vector) {
  codes_ = queries.codes_of(first_vector);
  code_bytes_ = queries.query_bytes;
  starts_.clear();
  scales_.clear();
  units_.clear();
  groups_.clear();
  for (std::size_t v = 0; v < vector_count_; ++v) {
    const CodeQuery& query = queries.queries[first_vector + v];
    starts_.push_back(-query.offset);
    scales_.push_back(query.scale);
    const double offset = static_cast<double>(query.shift) + static_cast<double>(query.slack);
    const double magnitude = std::fabs(static_cast<double>(query.shift)) + static_cast<double>(query.slack);
    units_.push_back(
        {biased_ ? 1.0 : static_cast<double>(query.scale), offset, 0x1p-20 * magnitude + 0x1p-120});
  }
  for (std::size_t begin = 0; begin < vector_count_; begin += CodeMaxsimQueries::kMost) {
    CodeMaxsimQueries group{};
    group.count = std::min(CodeMaxsimQueries::kMost, vector_count_ - begin);
    group.codes = codes_ + begin * code_bytes_;
    group.starts = starts_.data() + begin;
    group.scales = scales_.data() + begin;
    for (std::size_t v = begin; v < begin + group.count; ++v) {
      const CodeQuery& query = queries.queries[first_vector + v];
      group.bias_factor = query.bias_factor;
      // A zero query vector needs no margin.
      if (query.scale == 0) continue;
      group.norm_factor = std::max(group.norm_factor, quotient_rounded_up(query.norm_factor, query.scale));
      group.residual_factor =
          std::max(group.residual_factor, quotient_rounded_up(query.residual_factor, query.scale));
    }
    groups_.push_back(group);
  }
}

void DocumentBounds::compute(const granule_segment& segment, std::size_t begin, std::size_t end) {
  constexpr std::size_t kRows = CodeLayout::kBlockRows;
  segment_ = &segment;
  first_document_ = begin;
  const std::size_t first_block = segment.row_offsets[begin] / kRows;
  first_row_ = first_block * kRows;
  divide(begin, end);
  span_maxima_.resize((spans_.size() - 1) * vector_count_);
  const std::size_t end_block = (first_row_ + spans_.back() + kRows - 1) / kRows;
  // An odd number of cache lines: the query vectors' lines then fall on different sets of the cache.
  stride_ = ((end_block - first_block) | 1) * kRows;
  if (uppers_.size() < vector_count_ * stride_) uppers_ = AlignedBuffer<float>(vector_count_ * stride_);

  const std::size_t block_bytes = CodeLayout::block_bytes(dimension_);
  const std::size_t coded_blocks = segment.coded_vector_count / kRows;
  std::size_t span = 0;
  for (std::size_t block = first_block; block < end_block; block += kStripBlocks) {
    const std::size_t block_count = std::min(kStripBlocks, end_block - block);
    const std::size_t row = block * kRows;
    const CodeBlocks blocks{segment.codes + block * block_bytes,
                            segment.scales + row,
                            segment.residual_norms + row,
                            segment.code_norms + row,
                            segment.biases != nullptr ? segment.biases + row : nullptr,
                            CodeLayout::groups(dimension_)};
    uint32_t begins[kStripRows + 1];
    const auto strip_row = static_cast<uint32_t>(row - first_row_);
    const std::size_t first_span = span;
    for (; span + 1 < spans_.size() && spans_[span] < strip_row + block_count * kRows; ++span)
      begins[span - first_span] = spans_[span] - strip_row;
    begins[span - first_span] = spans_[span] - strip_row;
    // Each group of query vectors fetches its share of the next strip, which the next call will read.
    const std::size_t next = block + block_count;
    const std::size_t next_lines = std::min(kStripBlocks, coded_blocks - next) * block_bytes / 64;
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      const std::size_t from = next_lines * g / groups_.size();
      const std::size_t to = next_lines * (g + 1) / groups_.size();
      const std::size_t vector = g * CodeMaxsimQueries::kMost;
      backend_.kernels.code_maxsim(blocks, block_count, groups_[g],
                                   CodeMaxsimSpans{span - first_span, static_cast<uint32_t*>(begins)},
                                   uppers_.data() + vector * stride_ + strip_row, stride_,
                                   span_maxima_.data() + first_span * vector_count_ + vector, vector_count_,
                                   segment.codes + next * block_bytes + from * 64, (to - from) * 64);
    }
  }

  maxima_.assign((end - begin) * vector_count_, -kInfinity);
  for (std::size_t d = 0; d < end - begin; ++d) {
    float* maxima = maxima_.data() + d * vector_count_;
    for (std::size_t s = first_spans_[d]; s < first_spans_[d + 1]; ++s) {
      const float* candidates = span_maxima_.data() + s * vector_count_;
      for (std::size_t v = 0; v < vector_count_; ++v)
        maxima[v] = candidates[v] > maxima[v] ? candidates[v] : maxima[v];
    }
  }
}

void DocumentBounds::divide(std::size_t begin, std::size_t end) {
  constexpr std::size_t kRows = CodeLayout::kBlockRows;
  spans_.clear();
  first_spans_.clear();
  const std::size_t coded_end = std::max<std::size_t>(segment_->coded_vector_count, first_row_);
  std::size_t row = std::min<std::size_t>(segment_->row_offsets[begin], coded_end);
  for (std::size_t d = begin; d < end; ++d) {
    first_spans_.push_back(static_cast<uint32_t>(spans_.size()));
    const std::size_t document_end = std::min<std::size_t>(segment_->row_offsets[d + 1], coded_end);
    while (row < document_end) {
      spans_.push_back(static_cast<uint32_t>(row - first_row_));
      const std::size_t block = (row - first_row_) / kRows;
      const std::size_t strip_end = (block / kStripBlocks + 1) * kStripBlocks;
      row = std::min(document_end, first_row_ + std::min(strip_end, block + kSpanBlocks) * kRows);
    }
  }
  first_spans_.push_back(static_cast<uint32_t>(spans_.size()));
  spans_.push_back(static_cast<uint32_t>(row - first_row_));
}

std::size_t DocumentBounds::select(std::size_t document, std::size_t vector, float limit,
                                   uint32_t* positions) const {
  const std::size_t d = document - first_document_;
  const auto document_row = static_cast<uint32_t>(segment_->row_offsets[document] - first_row_);
  std::size_t count = 0;
  for (std::size_t s = first_spans_[d]; s < first_spans_[d + 1]; ++s) {
    if (!(span_maxima_[s * vector_count_ + vector] >= limit)) continue;
    const std::size_t found =
        backend_.kernels.softmax_select(uppers_.data() + vector * stride_ + spans_[s],
                                        std::size_t{spans_[s + 1] - spans_[s]}, limit, positions + count);
    for (std::size_t i = count; i < count + found; ++i) positions[i] += spans_[s] - document_row;
    count += found;
  }
  return count;
}

std::size_t DocumentBounds::select_along(std::size_t document, std::size_t vector,
                                         const DocumentBounds& slopes, double nearest, double farthest,
                                         double limit, double limit_slope, uint32_t* positions) const {
  const std::size_t d = document - first_document_;
  const auto document_row = static_cast<uint32_t>(segment_->row_offsets[document] - first_row_);
  const float unit = scales_[vector];
  const auto near = static_cast<float>(nearest * slopes.units_[vector].scale);
  const auto far = static_cast<float>(farthest * slopes.units_[vector].scale);
  const auto near_limit = static_cast<float>(limit + nearest * limit_slope);
  const auto far_limit = static_cast<float>(limit + farthest * limit_slope);
  const auto greatest_excess = [&](float bound, float slope) {
    return unit * bound + std::max(near * slope - near_limit, far * slope - far_limit);
  };
  const float* uppers = uppers_.data() + vector * stride_;
  const float* upper_slopes = slopes.uppers_.data() + vector * stride_;
  float excess[kSpanBlocks * CodeLayout::kBlockRows];
  std::size_t count = 0;
  for (std::size_t s = first_spans_[d]; s < first_spans_[d + 1]; ++s) {
    const std::size_t at = s * vector_count_ + vector;
    if (!(greatest_excess(span_maxima_[at], slopes.span_maxima_[at]) >= 0)) continue;
    const std::size_t begin = spans_[s];
    const std::size_t length = spans_[s + 1] - begin;
    for (std::size_t r = 0; r < length; ++r)
      excess[r] = greatest_excess(uppers[begin + r], upper_slopes[begin + r]);
    const std::size_t found =
        backend_.kernels.softmax_select(static_cast<const float*>(excess), length, 0.0f, positions + count);
    for (std::size_t i = count; i < count + found; ++i) positions[i] += spans_[s] - document_row;
    count += found;
  }
  return count;
}

float DocumentBounds::margin(std::size_t document, std::size_t vector, uint32_t position) const {
  const std::size_t row = segment_->row_offsets[document] + position;
  const CodeMaxsimQueries& group = groups_[vector / CodeMaxsimQueries::kMost];
  const float margin =
      group.norm_factor * segment_->code_norms[row] + group.residual_factor * segment_->residual_norms[row];
  if (!biased_) return margin;
  return scales_[vector] * margin + group.bias_factor * std::fabs(segment_->biases[row]);
}

float DocumentBounds::bound_of_rivals(std::size_t vector, float similarity) const {
  // With t below the quotient, scale * t + offset < similarity - room. The room exceeds the roundings in
  // float64 here and there, a step of float32 at `similarity`, and what would round to zero.
  const Unit& unit = units_[vector];
  const double target = static_cast<double>(similarity);
  const double room = 0x1p-20 * std::fabs(target) + unit.room;
  return std::nextafter(static_cast<float>((target - unit.offset - room) / unit.scale), -kInfinity);
}

}  // namespace granule
