#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace granule {

/// Fills the places of a result that hold no row.
inline constexpr uint32_t kNoRow = 0xffffffffu;

/// A row and its score.
struct Ranked {
  float score;
  uint32_t row;
};

/// The order of every result: score descending, then row ascending. It is total, so the k best of any set of
/// rows are the same whichever way the set was divided and visited.
inline bool ranks_before(const Ranked& a, const Ranked& b) {
  return a.score > b.score || (a.score == b.score && a.row < b.row);
}

/// The k best rows seen so far, as a heap whose top is the worst of them.
class RankedList {
 public:
  explicit RankedList(std::size_t k = 0) : k_(k) {}

  /// A row below this score cannot enter; one at this score may, if its number is small enough.
  float threshold() const {
    return heap_.size() < k_ ? -std::numeric_limits<float>::infinity() : heap_.front().score;
  }

  void offer(float score, uint32_t row) {
    const Ranked entry{score, row};
    if (heap_.size() < k_) {
      heap_.push_back(entry);
      std::push_heap(heap_.begin(), heap_.end(), ranks_before);
    } else if (ranks_before(entry, heap_.front())) {
      std::pop_heap(heap_.begin(), heap_.end(), ranks_before);
      heap_.back() = entry;
      std::push_heap(heap_.begin(), heap_.end(), ranks_before);
    }
  }

  void merge(const RankedList& other) {
    for (const Ranked& entry : other.heap_) offer(entry.score, entry.row);
  }

  std::size_t size() const { return heap_.size(); }

  /// Writes the rows best first, fills the unused places with `kNoRow` and -infinity, and empties the list.
  /// @return the number of used places
  uint32_t drain(uint32_t* rows, float* scores) {
    std::sort(heap_.begin(), heap_.end(), ranks_before);
    const std::size_t used = heap_.size();
    for (std::size_t i = 0; i < k_; ++i) {
      rows[i] = i < used ? heap_[i].row : kNoRow;
      scores[i] = i < used ? heap_[i].score : -std::numeric_limits<float>::infinity();
    }
    heap_.clear();
    return static_cast<uint32_t>(used);
  }

 private:
  std::size_t k_;
  std::vector<Ranked> heap_;
};

}  // namespace granule
