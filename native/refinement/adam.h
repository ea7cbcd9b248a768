#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace granule {

/// Adam (Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015) on a list of numbers:
///
///     m = b1 m + (1 - b1) g            v = b2 v + (1 - b2) g^2
///     x -= rate * (m / (1 - b1^k)) / (sqrt(v / (1 - b2^k)) + epsilon)         at step k = 1, 2, ...
///
/// in float64, without contraction: the same bits on every machine.
class Adam {
 public:
  static constexpr double kFirstDecay = 0.9;
  static constexpr double kSecondDecay = 0.999;
  static constexpr double kEpsilon = 1e-8;

  Adam(std::size_t count, double rate) : first_(count, 0.0), second_(count, 0.0), rate_(rate) {}

  void step(const double* gradient, double* values) {
    first_power_ *= kFirstDecay;
    second_power_ *= kSecondDecay;
    const double rate = rate_ / (1 - first_power_);
    const double second_scale = 1 / (1 - second_power_);
    double* first = first_.data();
    double* second = second_.data();
    for (std::size_t i = 0; i < first_.size(); ++i) {
      const double g = gradient[i];
      first[i] = kFirstDecay * first[i] + (1 - kFirstDecay) * g;
      second[i] = kSecondDecay * second[i] + (1 - kSecondDecay) * (g * g);
      values[i] -= rate * first[i] / (std::sqrt(second[i] * second_scale) + kEpsilon);
    }
  }

 private:
  std::vector<double> first_;
  std::vector<double> second_;
  double rate_;
  double first_power_ = 1;
  double second_power_ = 1;
};

}  // namespace granule
