#include "refinement/trajectory.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/canonical_dot.h"

namespace granule {
namespace {

/// Steps between these have codes that bound their products, and products that are not denormal.
constexpr double kShortest = 0x1p-20;
constexpr double kLongest = 0x1p20;

}  // namespace

Trajectory::Trajectory(std::size_t dimension)
    : dimension_(dimension),
      rows_(2 * kMost * dimension),
      previous_(dimension),
      widened_((dimension + kLanes - 1) / kLanes * kLanes) {
  std::fill(widened_.data(), widened_.data() + widened_.size(), 0.0);
}

void Trajectory::advance(const KernelTable& kernels, const float* vector, const double* widened) {
  const std::size_t now = count_++;
  const std::size_t bytes = dimension_ * sizeof(float);
  std::memcpy(row(2 * now), vector, bytes);
  float* direction = row(2 * now + 1);
  double squared_step = 0;
  for (std::size_t k = 0; k < dimension_; ++k) {
    direction[k] = started_ ? vector[k] - previous_[k] : 0.0f;
    squared_step += static_cast<double>(direction[k]) * direction[k];
  }
  double step = std::sqrt(squared_step);
  if (!(step >= kShortest && step <= kLongest)) {
    step = 0;
    std::fill(direction, direction + dimension_, 0.0f);
  }
  std::copy(direction, direction + dimension_, widened_.data());
  std::memcpy(previous_.data(), vector, bytes);
  if (started_ && !directed_) {
    directed_ = true;
    if (now == 1) {
      std::memcpy(row(1), direction, bytes);
      stations_[0].step = step;
      stations_[0].product = canonical_dot(row(0), row(1), dimension_);
    }
  }
  started_ = true;

  double products[2 * kMost];
  kernels.inner_product(widened, 1, widened_.size(), rows_.data(), 2 * count_, dimension_, dimension_,
                        products, 2 * kMost);
  squared_norm_ = products[2 * now];
  norm_ = std::sqrt(squared_norm_);
  stations_[now] = {squared_norm_, step, products[2 * now + 1]};
  reaches_[now] = {0, 0};
  magnitude_ = norm_;
  for (std::size_t e = 0; e < now; ++e) look_back(e, products[2 * e], products[2 * e + 1]);
}

void Trajectory::look_back(std::size_t e, double with_position, double with_direction) {
  const Station& station = stations_[e];
  // With D = z - z_e: |D|^2, <D,u>, and |r|^2 = |D|^2 - 2 along <D,u> + along^2 |u|^2.
  const double squared_way = squared_norm_ - 2 * with_position + station.squared_norm;
  const double product = with_direction - station.product;
  const double squared_step = station.step * station.step;
  const double along = station.step > 0 ? std::clamp(product / squared_step, 0.0, kFarthest) : 0.0;
  const double squared_aside = squared_way - 2 * along * product + along * along * squared_step;
  // A product of d elements is off by less than (d + 2) 2^-53 of its factors' norms, and few operations
  // follow.
  const double extent = norm_ + std::sqrt(station.squared_norm) + along * station.step;
  const double room = (static_cast<double>(dimension_) + 16) * 0x1p-52 * extent * extent;
  const double aside = std::sqrt(std::max(0.0, squared_aside) + room) * (1 + 0x1p-50);
  reaches_[e] = {along, aside};
  magnitude_ = std::max(magnitude_, norm_ + along * station.step + aside);
}

}  // namespace granule
