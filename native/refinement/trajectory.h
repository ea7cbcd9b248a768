#pragma once

#include <array>
#include <cstddef>

#include "core/aligned_buffer.h"
#include "kernels/kernel_table.h"

namespace granule {

/// The way of one query vector: stations z_e at which it was compared with rows, each with a direction u_e,
/// that of the step which led there. Seen from a station, the vector of the moment is
///
///     z = z_e + along u_e + r,   so that for every row x   <z,x> <= <z_e,x> + along <u_e,x> + aside |x|
///
/// with aside >= |r|. Steps of gradient descent resemble those before them: r is a small part of what the
/// vector has come, and the bound much tighter than |z - z_e| |x|.
class Trajectory {
 public:
  /// Stations that are kept: what each step costs grows with them.
  static constexpr std::size_t kMost = 24;

  struct Reach {
    /// At least 0, at most kFarthest; 0 where there is no direction.
    double along;
    double aside;
  };

  explicit Trajectory(std::size_t dimension);

  /// Forgets the stations from `count` on, but not where the vector came from.
  void forget(std::size_t count) { count_ = count; }

  /// Adds a station, the vector as it is now. Fewer than kMost are there.
  ///
  /// The first station of all has no direction but that of the step after it.
  ///
  /// @param vector in float32, and @param widened as InnerProductTile wants it
  void advance(const KernelTable& kernels, const float* vector, const double* widened);

  std::size_t count() const { return count_; }
  /// How far the vector has come since a station.
  const Reach& reach(std::size_t station) const { return reaches_[station]; }
  /// u_e, zeros where the step was none, or too short or too long to be worth it.
  const float* direction(std::size_t station) const { return row(2 * station + 1); }
  /// The same, widened, of the last station.
  const double* last_direction() const { return widened_.data(); }
  /// |u_e|
  double step(std::size_t station) const { return stations_[station].step; }
  /// The greatest of |z| + along |u_e| + aside, of which bounds' roundings are shares.
  double magnitude() const { return magnitude_; }

 private:
  struct Station {
    double squared_norm;
    double step;
    /// <z_e, u_e>
    double product;
  };

  /// Roundings of `along` products stay far below those of similarities.
  static constexpr double kFarthest = 0x1p10;

  const float* row(std::size_t r) const { return rows_.data() + r * dimension_; }
  float* row(std::size_t r) { return rows_.data() + r * dimension_; }
  void look_back(std::size_t station, double with_position, double with_direction);

  const std::size_t dimension_;
  /// z_0, u_0, z_1, u_1, ...
  AlignedBuffer<float> rows_;
  AlignedBuffer<float> previous_;
  AlignedBuffer<double> widened_;
  std::array<Station, kMost> stations_;
  std::array<Reach, kMost> reaches_;
  std::size_t count_ = 0;
  bool started_ = false;
  bool directed_ = false;
  double squared_norm_ = 0;
  double norm_ = 0;
  double magnitude_ = 0;
};

}  // namespace granule
