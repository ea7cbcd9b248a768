#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "training/in_batch_contrast.h"

namespace granule {

/// What stands in place of the similarity of a pair that does not count: its exponential is 0.
inline constexpr float kExcluded = -std::numeric_limits<float>::max();

/// Numbers by key: those with one key stand together, ascending.
class NumbersByKey {
 public:
  NumbersByKey() = default;
  /// @param keys of the numbers 0, 1, ...
  explicit NumbersByKey(const std::vector<uint32_t>& keys);

  /// Calls body(number) for each with this key.
  template <typename Body>
  void each(uint32_t key, const Body& body) const {
    for (auto at = first(key); at != sorted_.end() && at->first == key; ++at) body(at->second);
  }

 private:
  using Entry = std::pair<uint32_t, uint32_t>;
  std::vector<Entry>::const_iterator first(uint32_t key) const;
  std::vector<Entry> sorted_;
};

/// Which pairs of a batch do not count, as in_batch_contrast.h has them.
class ContrastExclusions {
 public:
  /// @param batch is kept
  explicit ContrastExclusions(const ContrastBatch& batch);

  /// The document of query i.
  std::size_t positive(std::size_t i) const { return batch_.positives == nullptr ? i : batch_.positives[i]; }

  /// Takes documents out of the similarities of query i with all of them.
  void from_query(std::size_t i, float* similarities) const;

  /// Takes queries out of the similarities of query i's positive with all of them; those that look for the
  /// same document do not compete for it.
  void from_positive(std::size_t i, float* similarities) const;

 private:
  /// Queries with one key look for the same.
  uint32_t key(std::size_t i) const;

  const ContrastBatch& batch_;
  /// By their group.
  NumbersByKey documents_;
  NumbersByKey queries_;
  /// Places of `excluded`, by the document there; and the query that each place belongs to.
  NumbersByKey excluded_places_;
  std::vector<uint32_t> excluded_for_;
};

}  // namespace granule
