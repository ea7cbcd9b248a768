#include "pooling/kmeans_pooling.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "pooling/squared_distance.h"

namespace granule {
namespace {

/// SplitMix64: the same numbers on every machine.
class Random {
 public:
  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// Uniform in [0, 1), with 53 bits.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

 private:
  uint64_t state_ = 0;
};

class KMeans {
 public:
  KMeans(const double* points, std::size_t count, std::size_t dimension, const CancelFlag& cancel,
         uint32_t* labels)
      : points_(points),
        count_(count),
        dimension_(dimension),
        cancel_(cancel),
        labels_(labels),
        distances_(count, std::numeric_limits<double>::infinity()) {
    std::fill(labels, labels + count, 0u);
  }

  /// k-means++: the first mean is a point at random, each further one a point with a probability in
  /// proportion to its squared distance to the nearest mean so far. Fewer than `clusters` where every point
  /// is a mean.
  bool seed(std::size_t clusters) {
    Random random;
    std::size_t chosen = random.next() % count_;
    for (;;) {
      if (cancel_.cancelled()) return false;
      means_.insert(means_.end(), point(chosen), point(chosen) + dimension_);
      sizes_.push_back(0);
      if (sizes_.size() == clusters) break;
      double total = 0;
      for (std::size_t i = 0; i < count_; ++i) {
        distances_[i] = std::min(distances_[i], squared_distance(point(i), point(chosen), dimension_));
        total += distances_[i];
      }
      if (total == 0) break;
      chosen = drawn(random.uniform() * total);
    }
    changed_.assign(sizes_.size(), true);
    std::fill(distances_.begin(), distances_.end(), std::numeric_limits<double>::infinity());
    return true;
  }

  /// One round of assignment. @return false where cancelled
  bool assign() {
    moved_ = false;
    std::fill(sizes_.begin(), sizes_.end(), 0u);
    for (std::size_t i = 0; i < count_; ++i) {
      if (cancel_.cancelled()) return false;
      const uint32_t before = labels_[i];
      assign_point(i);
      moved_ = moved_ || labels_[i] != before;
      ++sizes_[labels_[i]];
    }
    refill_empty();
    return true;
  }

  bool moved() const { return moved_; }

  /// The mean of each group, in the order of its points.
  void update() {
    std::vector<double> means(means_.size(), 0.0);
    for (std::size_t i = 0; i < count_; ++i) {
      double* mean = means.data() + labels_[i] * dimension_;
      for (std::size_t d = 0; d < dimension_; ++d) mean[d] += point(i)[d];
    }
    for (std::size_t c = 0; c < sizes_.size(); ++c) {
      double* mean = means.data() + c * dimension_;
      double* old_mean = means_.data() + c * dimension_;
      if (sizes_[c] == 0) {
        changed_[c] = false;
        continue;
      }
      for (std::size_t d = 0; d < dimension_; ++d) mean[d] /= sizes_[c];
      changed_[c] = !std::equal(mean, mean + dimension_, old_mean);
      std::copy(mean, mean + dimension_, old_mean);
    }
  }

 private:
  const double* point(std::size_t i) const { return points_ + i * dimension_; }

  /// The first point up to which the distances add up to more than `target`.
  std::size_t drawn(double target) const {
    std::size_t last = 0;
    double sum = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      if (distances_[i] == 0) continue;
      last = i;
      sum += distances_[i];
      if (sum > target) break;
    }
    return last;
  }

  /// The nearest mean. Where the point's own has not moved, only those that have can have become nearer.
  void assign_point(std::size_t i) {
    uint32_t nearest = labels_[i];
    const bool all = changed_[nearest];
    double distance = all ? std::numeric_limits<double>::infinity() : distances_[i];
    for (uint32_t c = 0; c < sizes_.size(); ++c) {
      if (!all && !changed_[c]) continue;
      const double candidate = squared_distance(point(i), means_.data() + c * dimension_, dimension_);
      if (candidate < distance || (candidate == distance && c < nearest)) {
        distance = candidate;
        nearest = c;
      }
    }
    labels_[i] = nearest;
    distances_[i] = distance;
  }

  void refill_empty() {
    for (uint32_t c = 0; c < sizes_.size(); ++c) {
      if (sizes_[c] > 0) continue;
      std::size_t farthest = count_;
      double distance = 0;
      for (std::size_t i = 0; i < count_; ++i) {
        if (distances_[i] > distance && sizes_[labels_[i]] > 1) {
          farthest = i;
          distance = distances_[i];
        }
      }
      if (farthest == count_) return;
      --sizes_[labels_[farthest]];
      labels_[farthest] = c;
      sizes_[c] = 1;
      distances_[farthest] = 0;
      moved_ = true;
    }
  }

  const double* points_;
  std::size_t count_;
  std::size_t dimension_;
  const CancelFlag& cancel_;
  uint32_t* labels_;
  /// To the mean that the point was assigned to; while seeding, to the nearest so far.
  std::vector<double> distances_;
  std::vector<double> means_;
  std::vector<uint32_t> sizes_;
  /// Means that the last update moved.
  std::vector<bool> changed_;
  bool moved_ = false;
};

}  // namespace

bool kmeans_labels(const double* points, std::size_t count, std::size_t dimension, std::size_t clusters,
                   std::size_t rounds, const CancelFlag& cancel, uint32_t* labels) {
  KMeans groups(points, count, dimension, cancel, labels);
  if (!groups.seed(clusters)) return false;
  for (std::size_t round = 0; round < rounds; ++round) {
    if (!groups.assign()) return false;
    if (round > 0 && !groups.moved()) break;
    groups.update();
  }
  return true;
}

}  // namespace granule
