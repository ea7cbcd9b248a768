#include "refinement/trajectory.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/canonical_dot.h"
#include "tests/kernel_tables.h"
#include "tests/test_data.h"

using namespace granule;

namespace {

/// A vector that walks, and its trajectory.
struct Walk {
  explicit Walk(std::size_t dimension)
      : vector(dimension), widened((dimension + 7) / 8 * 8), trajectory(dimension) {}

  /// Adds a multiple of `step`, and some noise.
  void go(const std::vector<float>& step, float length, float noise, test_data::Random& random) {
    for (std::size_t k = 0; k < vector.size(); ++k) {
      vector[k] += length * step[k] + noise * static_cast<float>(random.uniform());
      widened[k] = vector[k];
    }
    for (const std::size_t now = trajectory.count(); stations.size() > now;) stations.pop_back();
    stations.push_back(vector);
    trajectory.advance(test_kernels::tables().back(), vector.data(), widened.data());
  }

  std::vector<float> vector;
  std::vector<double> widened;
  std::vector<std::vector<float>> stations;
  Trajectory trajectory;
};

double norm(const std::vector<float>& x) { return std::sqrt(canonical_dot(x.data(), x.data(), x.size())); }

/// Whether the bound of every station holds for a row, but for roundings.
void check_bounds(const Walk& walk, const std::vector<float>& row) {
  const std::size_t dimension = row.size();
  const double similarity = canonical_dot(walk.vector.data(), row.data(), dimension);
  for (std::size_t e = 0; e < walk.trajectory.count(); ++e) {
    CAPTURE(e);
    const Trajectory::Reach& reach = walk.trajectory.reach(e);
    const double bound = canonical_dot(walk.stations[e].data(), row.data(), dimension) +
                         reach.along * canonical_dot(walk.trajectory.direction(e), row.data(), dimension) +
                         reach.aside * norm(row);
    CHECK(reach.along >= 0);
    CHECK(similarity <= bound + 1e-14 * walk.trajectory.magnitude() * norm(row));
  }
}

}  // namespace

TEST_CASE("a trajectory's bounds hold for every row, above all for what lies aside itself") {
  test_data::Random random(3);
  for (const std::size_t dimension : {1u, 7u, 64u}) {
    for (const float noise : {0.0f, 1e-3f, 0.3f}) {
      CAPTURE(dimension);
      CAPTURE(noise);
      const std::vector<float> step = test_data::vectors(test_data::Kind::uniform, 1, dimension, 5);
      const std::vector<float> rows = test_data::vectors(test_data::Kind::uniform, 8, dimension, 6);
      Walk walk(dimension);
      for (std::size_t k = 0; k < 60; ++k) {
        // Both ways of forgetting; and steps of none, and back.
        if (walk.trajectory.count() == Trajectory::kMost) walk.trajectory.forget(1);
        if (k == 40) walk.trajectory.forget(0);
        walk.go(step, k == 7 ? 0.0f : k > 50 ? -0.02f : 0.01f, noise, random);
        for (std::size_t r = 0; r < 8; ++r) {
          check_bounds(walk, {rows.data() + r * dimension, rows.data() + (r + 1) * dimension});
        }
        // The row that a bound is tight for.
        const Trajectory::Reach& reach = walk.trajectory.reach(0);
        std::vector<float> aside(dimension);
        for (std::size_t i = 0; i < dimension; ++i) {
          aside[i] = static_cast<float>(walk.vector[i] - walk.stations[0][i] -
                                        reach.along * walk.trajectory.direction(0)[i]);
        }
        check_bounds(walk, aside);
      }
    }
  }
}

TEST_CASE("a straight way leads hardly aside") {
  test_data::Random random(3);
  Walk walk(64);
  const std::vector<float> step = test_data::vectors(test_data::Kind::uniform, 1, 64, 5);
  for (std::size_t k = 0; k < Trajectory::kMost; ++k) walk.go(step, 0.01f, 0, random);
  for (std::size_t e = 0; e < Trajectory::kMost; ++e) {
    CHECK(walk.trajectory.reach(e).along == doctest::Approx(Trajectory::kMost - 1 - e).epsilon(1e-3));
    CHECK(walk.trajectory.reach(e).aside < 1e-4 * norm(walk.vector));
  }
}
