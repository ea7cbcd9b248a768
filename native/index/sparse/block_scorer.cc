#include "index/sparse/block_scorer.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "index/sparse/sparse_search.h"

namespace granule {
namespace {

constexpr double kNoBound = -1;
/// Blocks are put in the order of their bounds by this many levels.
constexpr std::size_t kLevels = 1024;
/// Blocks between two looks at the cancel flag.
constexpr std::size_t kBlocksPerLook = 256;

/// w / (w + c) is increasing in w and decreasing in c, but its rounded value is off by up to a factor of 1 +
/// 2^-52 each way: this covers both.
constexpr double kRoundingMargin = 1 + 0x1p-50;

/// A block to score, and which of its rows may be returned; none ends the search.
struct Found {
  uint64_t block;
  uint64_t allowed;
};

void prefetch(const void* address) {
#if defined(__GNUC__)
  __builtin_prefetch(address);
#else
  (void)address;
#endif
}

}  // namespace

void BlockScorer::find_runs(QuerySpan query, uint64_t first_block, uint64_t end_block) {
  runs_.clear();
  const SparseSegment& segment = *segment_;
  std::size_t from = 0;
  for (const QueryTerm* term = query.begin; term != query.end && from < segment.terms.size(); ++term) {
    const std::size_t place = segment.find(term->term, from);
    if (place == segment.terms.size()) continue;
    from = place + 1;
    const uint16_t* const blocks = segment.run_blocks.data();
    const uint16_t* begin = blocks + segment.term_offsets[place];
    const uint16_t* end = blocks + segment.term_offsets[place + 1];
    begin = std::lower_bound(begin, end, first_block);
    end = std::lower_bound(begin, end, end_block);
    if (begin == end) continue;
    runs_.push_back(
        {term->weight, static_cast<uint32_t>(begin - blocks), static_cast<uint32_t>(end - blocks)});
  }
}

void BlockScorer::bound_blocks(uint64_t first_block) {
  const SparseSegment& segment = *segment_;
  bounds_.assign(block_span_, kNoBound);
  const uint16_t* const blocks = segment.run_blocks.data();
  const auto add = [&](const TermRuns& term, auto bound_of) {
    for (uint32_t run = term.first; run < term.end; ++run) {
      double& bound = bounds_[blocks[run] - first_block];
      // A row of the block may lack the term: no contribution counts for less than 0.
      bound = std::max(bound, 0.0) + std::max(bound_of(run), 0.0);
    }
  };
  for (const TermRuns& term : runs_) {
    if (term.weight <= 0) {
      const double bound = term.weight * static_cast<double>(segment.lowest_value);
      add(term, [&](uint32_t) { return bound; });
    } else if (saturation_ == nullptr) {
      add(term, [&](uint32_t run) {
        return term.weight * static_cast<double>(widen_bfloat16(segment.run_maxima[run]));
      });
    } else {
      const Saturation saturation = *saturation_;
      add(term, [&](uint32_t run) {
        const auto value = static_cast<double>(widen_bfloat16(segment.run_maxima[run]));
        const auto length = static_cast<double>(widen_bfloat16(segment.run_least_lengths[run]));
        const double share = value / (value + (saturation.base + saturation.slope * length));
        // Where the bound of the value is infinite the share is NaN.
        return term.weight * ((share < 1.0 ? share : 1.0) * kRoundingMargin);
      });
    }
  }
}

void BlockScorer::order_blocks(float threshold) {
  double highest = 0;
  for (const double bound : bounds_) highest = std::max(highest, bound);
  const double scale =
      highest > 0 && highest < std::numeric_limits<double>::infinity() ? (kLevels - 1) / highest : 0;
  const auto level_of = [scale](double bound) {
    const double height = bound * scale;  // NaN where the bound is infinite
    return height < kLevels - 1 ? kLevels - 1 - static_cast<std::size_t>(height) : 0;
  };
  const auto counts = [threshold](double bound) {
    return bound >= 0 && static_cast<float>(bound) >= threshold;
  };
  level_ends_.assign(kLevels + 1, 0);
  for (const double bound : bounds_) {
    if (counts(bound)) ++level_ends_[level_of(bound) + 1];
  }
  for (std::size_t level = 0; level < kLevels; ++level) level_ends_[level + 1] += level_ends_[level];
  order_.resize(level_ends_[kLevels]);
  for (std::size_t block = 0; block < bounds_.size(); ++block) {
    if (counts(bounds_[block]))
      order_[level_ends_[level_of(bounds_[block])]++] = static_cast<uint32_t>(block);
  }
}

uint64_t BlockScorer::allowed_in(uint64_t row) const {
  if (allowed_ == nullptr) return ~uint64_t{0};
  uint64_t low;
  std::memcpy(&low, allowed_ + (row >> 3), sizeof low);
  const unsigned shift = row & 7;
  if (shift == 0) return low;
  return low >> shift | static_cast<uint64_t>(allowed_[(row >> 3) + 8]) << (64 - shift);
}

void BlockScorer::find_postings(uint32_t block, uint64_t first_block,
                                std::vector<BlockPostings>* postings) const {
  const SparseSegment& segment = *segment_;
  const uint16_t* const blocks = segment.run_blocks.data();
  const auto number = static_cast<uint16_t>(first_block + block);
  postings->clear();
  for (const TermRuns& term : runs_) {
    std::size_t run = term.first + block;
    // A term with a run in every block needs no search.
    if (term.end - term.first != block_span_) {
      const uint16_t* const found = std::lower_bound(blocks + term.first, blocks + term.end, number);
      if (found == blocks + term.end || *found != number) continue;
      run = static_cast<std::size_t>(found - blocks);
    }
    const BlockPostings each{term.weight, segment.run_offsets[run], segment.run_offsets[run + 1]};
    prefetch(segment.rows.data() + each.first);
    prefetch(segment.values.data() + each.first);
    postings->push_back(each);
  }
}

template <typename Contribution>
uint64_t BlockScorer::accumulate(const std::vector<BlockPostings>& postings, Contribution contribution) {
  const SparseSegment& segment = *segment_;
  std::fill_n(sums_, SparseSegment::kBlockRows, 0.0);
  uint64_t touched = 0;
  for (const BlockPostings& term : postings) {
    for (uint32_t p = term.first; p < term.end; ++p) {
      const uint8_t row = segment.rows[p];
      sums_[row] += term.weight * contribution(row, static_cast<double>(segment.values[p]));
      touched |= uint64_t{1} << row;
    }
  }
  return touched;
}

uint32_t BlockScorer::score_block(uint64_t block, uint64_t allowed,
                                  const std::vector<BlockPostings>& postings, uint64_t first_row,
                                  RankedList* list) {
  const uint64_t row = block * SparseSegment::kBlockRows;
  uint64_t touched;
  if (saturation_ == nullptr) {
    touched = accumulate(postings, [](uint8_t, double value) { return value; });
  } else {
    const Saturation saturation = *saturation_;
    const float* const lengths = segment_->lengths.data() + row;
    touched = accumulate(postings, [&](uint8_t at, double value) {
      return value / (value + (saturation.base + saturation.slope * static_cast<double>(lengths[at])));
    });
  }
  touched &= allowed;
  for (uint64_t left = touched; left != 0; left &= left - 1) {
    const auto at = static_cast<uint64_t>(std::countr_zero(left));
    list->offer(static_cast<float>(sums_[at]), static_cast<uint32_t>(first_row + row + at));
  }
  return static_cast<uint32_t>(std::popcount(touched));
}

void BlockScorer::search(const PlacedSegment& placed, uint64_t first_block, uint64_t end_block,
                         QuerySpan query, const CancelFlag& cancel, QueryProgress* progress,
                         RankedList* list) {
  segment_ = placed.segment.get();
  block_span_ = end_block - first_block;
  find_runs(query, first_block, end_block);
  if (runs_.empty()) return;
  bound_blocks(first_block);
  order_blocks(progress->threshold.load(std::memory_order_relaxed));
  uint32_t rows_scored = 0;
  std::size_t place = 0;
  // The next block that may hold a hit; its postings are on their way while the one before is scored.
  const auto advance = [&](std::vector<BlockPostings>* postings) {
    for (; place < order_.size(); ++place) {
      if (place % kBlocksPerLook == 0 && cancel.cancelled()) break;
      const uint32_t block = order_[place];
      if (static_cast<float>(bounds_[block]) < progress->threshold.load(std::memory_order_relaxed)) continue;
      const uint64_t allowed =
          allowed_in(placed.first_row + (first_block + block) * SparseSegment::kBlockRows);
      if (allowed == 0) continue;
      find_postings(block, first_block, postings);
      ++place;
      return Found{first_block + block, allowed};
    }
    return Found{0, 0};
  };
  for (Found found = advance(&postings_); found.allowed != 0;) {
    const Found next = advance(&next_postings_);
    rows_scored += score_block(found.block, found.allowed, postings_, placed.first_row, list);
    progress->raise_threshold(list->threshold());
    postings_.swap(next_postings_);
    found = next;
  }
  progress->rows_scored.fetch_add(rows_scored, std::memory_order_relaxed);
}

}  // namespace granule
