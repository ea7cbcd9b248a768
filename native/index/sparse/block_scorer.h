#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/cancel_flag.h"
#include "core/ranked_list.h"
#include "index/sparse/sparse_store.h"

namespace granule {

struct Saturation;

/// A term of a query and its weight.
struct QueryTerm {
  uint32_t term;
  double weight;
};

/// The terms of a query, ascending.
struct QuerySpan {
  const QueryTerm* begin;
  const QueryTerm* end;
};

/// What the threads that answer one query tell each other.
struct QueryProgress {
  /// A score that k rows are known to reach.
  std::atomic<float> threshold{-std::numeric_limits<float>::infinity()};
  std::atomic<uint32_t> rows_scored{0};

  void raise_threshold(float reached) {
    float known = threshold.load(std::memory_order_relaxed);
    while (known < reached && !threshold.compare_exchange_weak(known, reached, std::memory_order_relaxed)) {
    }
  }
};

/// Finds the best rows of one query among blocks of one segment at a time. Keeps its memory from one to the
/// next; belongs to one thread.
class BlockScorer {
 public:
  /// Bytes behind a bitset that are read and not used.
  static constexpr std::size_t kBitsetPadding = 16;

  /// @param saturation null: values count as they are
  /// @param allowed bitset of rows with padding; null allows all
  BlockScorer(const Saturation* saturation, const uint8_t* allowed)
      : saturation_(saturation), allowed_(allowed) {}

  void search(const PlacedSegment& placed, uint64_t first_block, uint64_t end_block, QuerySpan query,
              const CancelFlag& cancel, QueryProgress* progress, RankedList* list);

 private:
  /// The runs of one of the query's terms among the blocks.
  struct TermRuns {
    double weight;
    uint32_t first;
    uint32_t end;
  };

  /// The postings of a term in one block.
  struct BlockPostings {
    double weight;
    uint32_t first;
    uint32_t end;
  };

  void find_runs(QuerySpan query, uint64_t first_block, uint64_t end_block);
  void bound_blocks(uint64_t first_block);
  void order_blocks(float threshold);
  uint64_t allowed_in(uint64_t row) const;
  /// Finds the postings of a block, and has them brought into the cache.
  void find_postings(uint32_t block, uint64_t first_block, std::vector<BlockPostings>* postings) const;
  template <typename Contribution>
  uint64_t accumulate(const std::vector<BlockPostings>& postings, Contribution contribution);
  uint32_t score_block(uint64_t block, uint64_t allowed, const std::vector<BlockPostings>& postings,
                       uint64_t first_row, RankedList* list);

  const Saturation* saturation_;
  const uint8_t* allowed_;
  const SparseSegment* segment_ = nullptr;
  uint64_t block_span_ = 0;
  std::vector<TermRuns> runs_;
  /// Upper bounds of the blocks' scores; below 0 where a block shares no term with the query.
  std::vector<double> bounds_;
  /// Blocks that may hold a hit, the highest bounds first but for those of one level.
  std::vector<uint32_t> order_;
  std::vector<uint32_t> level_ends_;
  /// Of the block that is scored, and of the one after it.
  std::vector<BlockPostings> postings_;
  std::vector<BlockPostings> next_postings_;
  alignas(64) double sums_[SparseSegment::kBlockRows];
};

}  // namespace granule
