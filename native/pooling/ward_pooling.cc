#include "pooling/ward_pooling.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "core/aligned_buffer.h"
#include "pooling/squared_distance.h"

namespace granule {
namespace {

/// The upper triangle of a symmetric matrix, row after row, without the diagonal.
class DistanceMatrix {
 public:
  explicit DistanceMatrix(std::size_t count) : count_(count), values_(count * (count - 1) / 2) {}

  double& at(std::size_t a, std::size_t b) {
    if (a > b) std::swap(a, b);
    return values_[a * (2 * count_ - a - 1) / 2 + (b - a - 1)];
  }

 private:
  std::size_t count_;
  AlignedBuffer<double> values_;
};

/// Two groups that were joined, named by their lowest points; the union is named `low`.
struct Join {
  double distance;
  uint32_t low;
  uint32_t high;
};

/// The tree of joins, grown from the chain's end.
class WardTree {
 public:
  WardTree(std::size_t count, DistanceMatrix* distances)
      : distances_(distances), sizes_(count, 1), active_(count) {
    std::iota(active_.begin(), active_.end(), 0u);
    joins_.reserve(count - 1);
  }

  bool complete() const { return active_.size() == 1; }

  /// Lengthens the chain by one group, or joins its last two where they are each other's nearest.
  void step() {
    if (chain_.empty()) chain_.push_back(active_.front());
    const uint32_t last = chain_.back();
    const bool alone = chain_.size() < 2;
    uint32_t nearest = alone ? last : chain_[chain_.size() - 2];
    double distance = alone ? std::numeric_limits<double>::infinity() : distances_->at(last, nearest);
    for (const uint32_t other : active_) {
      if (other == last) continue;
      const double candidate = distances_->at(last, other);
      if (candidate < distance) {
        distance = candidate;
        nearest = other;
      }
    }
    if (alone || nearest != chain_[chain_.size() - 2]) {
      chain_.push_back(nearest);
    } else {
      chain_.resize(chain_.size() - 2);
      join(std::min(last, nearest), std::max(last, nearest), distance);
    }
  }

  /// By distance; of equal ones in the order in which they were found, parts before their whole.
  const std::vector<Join>& sorted_joins() {
    std::stable_sort(joins_.begin(), joins_.end(),
                     [](const Join& a, const Join& b) { return a.distance < b.distance; });
    return joins_;
  }

 private:
  void join(uint32_t low, uint32_t high, double distance) {
    const double low_size = sizes_[low];
    const double high_size = sizes_[high];
    for (const uint32_t other : active_) {
      if (other == low || other == high) continue;
      const double size = sizes_[other];
      const double to_low = distances_->at(other, low);
      const double to_high = distances_->at(other, high);
      const double updated = ((low_size + size) * to_low + (high_size + size) * to_high - size * distance) /
                             (low_size + high_size + size);
      // A union is never nearer than the nearer of its parts. Held to that against rounding, the distances
      // along a chain fall strictly, so that it ends, and no whole is sorted before its parts.
      distances_->at(other, low) = std::max(updated, std::min(to_low, to_high));
    }
    sizes_[low] += sizes_[high];
    active_.erase(std::lower_bound(active_.begin(), active_.end(), high));
    joins_.push_back({distance, low, high});
  }

  DistanceMatrix* distances_;
  std::vector<uint32_t> sizes_;
  std::vector<uint32_t> active_;
  std::vector<uint32_t> chain_;
  std::vector<Join> joins_;
};

}  // namespace

bool ward_labels(const double* points, std::size_t count, std::size_t dimension, std::size_t clusters,
                 const CancelFlag& cancel, uint32_t* labels) {
  DistanceMatrix distances(count);
  for (std::size_t a = 0; a < count; ++a) {
    if (cancel.cancelled()) return false;
    for (std::size_t b = a + 1; b < count; ++b) {
      distances.at(a, b) = squared_distance(points + a * dimension, points + b * dimension, dimension);
    }
  }
  WardTree tree(count, &distances);
  while (!tree.complete()) {
    if (cancel.cancelled()) return false;
    tree.step();
  }
  // Any count - clusters joins leave `clusters` groups: a point is the high one of one join at most.
  const std::vector<Join>& joins = tree.sorted_joins();
  std::iota(labels, labels + count, 0u);
  for (std::size_t j = 0; j < count - clusters; ++j) labels[joins[j].high] = joins[j].low;
  // Each point now names a lower one of its group, or itself.
  for (std::size_t point = 0; point < count; ++point) labels[point] = labels[labels[point]];
  return true;
}

}  // namespace granule
