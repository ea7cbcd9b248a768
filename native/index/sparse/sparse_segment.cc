#include "index/sparse/sparse_segment.h"

#include <algorithm>
#include <utility>

namespace granule {

std::size_t SparseSegment::find(uint32_t term, std::size_t from) const {
  const uint32_t* const end = terms.data() + terms.size();
  const uint32_t* const found = std::lower_bound(terms.data() + from, end, term);
  return found != end && *found == term ? static_cast<std::size_t>(found - terms.data()) : terms.size();
}

std::size_t SparseSegment::bytes() const {
  return terms.bytes() + term_offsets.bytes() + run_blocks.bytes() + run_offsets.bytes() +
         run_maxima.bytes() + run_least_lengths.bytes() + rows.bytes() + values.bytes() + lengths.bytes();
}

void PostingRuns::reserve(std::size_t postings) {
  rows_.reserve(postings);
  values_.reserve(postings);
}

void PostingRuns::begin_term(uint32_t term) {
  term_ = term;
  term_is_listed_ = false;
  block_ = kNoBlock;
}

void PostingRuns::append(uint32_t row, float value) {
  if (!term_is_listed_) {
    terms_.push_back(term_);
    first_runs_.push_back(static_cast<uint32_t>(run_blocks_.size()));
    term_is_listed_ = true;
  }
  const uint16_t maximum = bfloat16_above(value);
  const uint16_t length = lengths_ != nullptr ? bfloat16_below(lengths_[row]) : uint16_t{0};
  if (row / SparseSegment::kBlockRows != block_) {
    block_ = row / SparseSegment::kBlockRows;
    run_blocks_.push_back(static_cast<uint16_t>(block_));
    first_postings_.push_back(static_cast<uint32_t>(rows_.size()));
    run_maxima_.push_back(maximum);
    if (lengths_ != nullptr) run_least_lengths_.push_back(length);
  } else {
    if (widen_bfloat16(maximum) > widen_bfloat16(run_maxima_.back())) run_maxima_.back() = maximum;
    if (lengths_ != nullptr && length < run_least_lengths_.back()) run_least_lengths_.back() = length;
  }
  rows_.push_back(static_cast<uint8_t>(row % SparseSegment::kBlockRows));
  values_.push_back(value);
  lowest_value_ = std::min(lowest_value_, value);
}

std::shared_ptr<const SparseSegment> join_runs(uint64_t row_count, AlignedBuffer<float> lengths,
                                               std::vector<PostingRuns> parts) {
  std::size_t term_count = 0;
  std::size_t run_count = 0;
  std::size_t posting_count = 0;
  for (const PostingRuns& part : parts) {
    term_count += part.terms_.size();
    run_count += part.run_blocks_.size();
    posting_count += part.rows_.size();
  }
  auto segment = std::make_shared<SparseSegment>();
  segment->row_count = row_count;
  segment->terms = AlignedBuffer<uint32_t>(term_count);
  segment->term_offsets = AlignedBuffer<uint32_t>(term_count + 1);
  segment->run_blocks = AlignedBuffer<uint16_t>(run_count);
  segment->run_offsets = AlignedBuffer<uint32_t>(run_count + 1);
  segment->run_maxima = AlignedBuffer<uint16_t>(run_count);
  segment->run_least_lengths = AlignedBuffer<uint16_t>(lengths.size() != 0 ? run_count : 0);
  segment->rows = AlignedBuffer<uint8_t>(posting_count);
  segment->values = AlignedBuffer<float>(posting_count);
  segment->lengths = std::move(lengths);
  std::size_t term = 0;
  std::size_t run = 0;
  std::size_t posting = 0;
  for (PostingRuns& part : parts) {
    const auto copy = [](const auto& from, auto* to) { std::copy(from.begin(), from.end(), to); };
    copy(part.terms_, segment->terms.data() + term);
    for (std::size_t i = 0; i < part.first_runs_.size(); ++i)
      segment->term_offsets[term + i] = static_cast<uint32_t>(run + part.first_runs_[i]);
    copy(part.run_blocks_, segment->run_blocks.data() + run);
    for (std::size_t i = 0; i < part.first_postings_.size(); ++i)
      segment->run_offsets[run + i] = static_cast<uint32_t>(posting + part.first_postings_[i]);
    copy(part.run_maxima_, segment->run_maxima.data() + run);
    copy(part.run_least_lengths_, segment->run_least_lengths.data() + run);
    copy(part.rows_, segment->rows.data() + posting);
    copy(part.values_, segment->values.data() + posting);
    segment->lowest_value = std::min(segment->lowest_value, part.lowest_value_);
    term += part.terms_.size();
    run += part.run_blocks_.size();
    posting += part.rows_.size();
    part = PostingRuns(nullptr);  // its memory, before the next part's copy
  }
  segment->term_offsets[term] = static_cast<uint32_t>(run);
  segment->run_offsets[run] = static_cast<uint32_t>(posting);
  return segment;
}

}  // namespace granule
