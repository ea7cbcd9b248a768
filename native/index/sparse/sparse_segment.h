#pragma once

#include <bit>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/aligned_buffer.h"

namespace granule {

/// The least bfloat16 that is not below a float32, as its upper half; infinity above the greatest.
inline uint16_t bfloat16_above(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const bool cut = (bits & 0xffffu) != 0;
  return static_cast<uint16_t>((bits >> 16) + (cut && value > 0 ? 1 : 0));
}

/// The greatest bfloat16 that is not above a float32 of at least 0.
inline uint16_t bfloat16_below(float value) {
  return static_cast<uint16_t>(std::bit_cast<uint32_t>(value) >> 16);
}

inline float widen_bfloat16(uint16_t upper_half) {
  return std::bit_cast<float>(static_cast<uint32_t>(upper_half) << 16);
}

/// An inverted index over consecutive rows, which never changes. Rows lie in blocks of 64. The postings of a
/// term within one block are a run: their rows ascend, and the run knows a bound of its values.
struct SparseSegment {
  static constexpr uint32_t kBlockRows = 64;
  /// Block numbers have 16 bits.
  static constexpr uint64_t kMaxRows = uint64_t{kBlockRows} << 16;

  uint64_t block_count() const { return (row_count + kBlockRows - 1) / kBlockRows; }
  uint64_t posting_count() const { return values.size(); }
  /// Rows that hold the term at this place of `terms`.
  uint64_t document_frequency(std::size_t place) const {
    return run_offsets[term_offsets[place + 1]] - run_offsets[term_offsets[place]];
  }
  /// Place of a term in `terms`, not before `from`; terms.size() where it is not there.
  std::size_t find(uint32_t term, std::size_t from) const;
  std::size_t bytes() const;

  uint64_t row_count = 0;
  /// 0, or the least value where that is negative.
  float lowest_value = 0;
  /// Ascending; each has a run at least.
  AlignedBuffer<uint32_t> terms;
  /// The runs of term i are those from term_offsets[i] up to term_offsets[i + 1].
  AlignedBuffer<uint32_t> term_offsets;
  /// The block of each run, ascending within a term.
  AlignedBuffer<uint16_t> run_blocks;
  /// The postings of run i are those from run_offsets[i] up to run_offsets[i + 1].
  AlignedBuffer<uint32_t> run_offsets;
  /// Upper bounds of a run's values (bfloat16).
  AlignedBuffer<uint16_t> run_maxima;
  /// Lower bounds of the lengths of a run's rows (bfloat16); none where rows have no lengths.
  AlignedBuffer<uint16_t> run_least_lengths;
  /// Row within its block, and value, of each posting.
  AlignedBuffer<uint8_t> rows;
  AlignedBuffer<float> values;
  /// Of each row; none where rows have no lengths.
  AlignedBuffer<float> lengths;
};

/// The runs of ascending terms on their way into a segment.
class PostingRuns {
 public:
  /// @param lengths of the segment's rows, which outlive this; null where rows have none
  explicit PostingRuns(const float* lengths) : lengths_(lengths) {}

  void reserve(std::size_t postings);
  /// Terms ascend; one without postings is left out.
  void begin_term(uint32_t term);
  /// Rows of the segment ascend within a term.
  void append(uint32_t row, float value);

 private:
  friend std::shared_ptr<const SparseSegment> join_runs(uint64_t, AlignedBuffer<float>,
                                                        std::vector<PostingRuns>);
  static constexpr uint32_t kNoBlock = 0xffffffffu;

  const float* lengths_;
  uint32_t term_ = 0;
  bool term_is_listed_ = false;
  uint32_t block_ = kNoBlock;
  float lowest_value_ = 0;
  std::vector<uint32_t> terms_;
  std::vector<uint32_t> first_runs_;
  std::vector<uint16_t> run_blocks_;
  std::vector<uint32_t> first_postings_;
  std::vector<uint16_t> run_maxima_;
  std::vector<uint16_t> run_least_lengths_;
  std::vector<uint8_t> rows_;
  std::vector<float> values_;
};

/// A segment of runs, in parts whose terms ascend from one to the next.
///
/// @param lengths of its rows, or none
/// @throws std::bad_alloc
std::shared_ptr<const SparseSegment> join_runs(uint64_t row_count, AlignedBuffer<float> lengths,
                                               std::vector<PostingRuns> parts);

}  // namespace granule
