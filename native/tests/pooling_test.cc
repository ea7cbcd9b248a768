#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "index/prepared_vectors.h"
#include "pooling/kmeans_pooling.h"
#include "pooling/squared_distance.h"
#include "pooling/vector_pooling.h"
#include "pooling/ward_pooling.h"
#include "tests/test_data.h"

using namespace granule;

namespace {

using Group = std::vector<std::size_t>;

std::vector<double> mean_of(const std::vector<double>& points, std::size_t dimension, const Group& group) {
  std::vector<double> mean(dimension, 0.0);
  for (const std::size_t i : group) {
    for (std::size_t d = 0; d < dimension; ++d) mean[d] += points[i * dimension + d];
  }
  for (double& value : mean) value /= static_cast<double>(group.size());
  return mean;
}

/// Sum of squared distances to the group's mean.
double inertia_of(const std::vector<double>& points, std::size_t dimension, const Group& group) {
  const std::vector<double> mean = mean_of(points, dimension, group);
  double sum = 0;
  for (const std::size_t i : group) {
    sum += squared_distance(points.data() + i * dimension, mean.data(), dimension);
  }
  return sum;
}

/// By the definition: join the two groups whose union adds least to the inertia, until `clusters` are left.
std::vector<Group> slow_ward(const std::vector<double>& points, std::size_t dimension, std::size_t clusters) {
  std::vector<Group> groups;
  for (std::size_t i = 0; i < points.size() / dimension; ++i) groups.push_back({i});
  while (groups.size() > clusters) {
    double least = std::numeric_limits<double>::infinity();
    std::size_t best_a = 0;
    std::size_t best_b = 0;
    for (std::size_t a = 0; a < groups.size(); ++a) {
      for (std::size_t b = a + 1; b < groups.size(); ++b) {
        Group both = groups[a];
        both.insert(both.end(), groups[b].begin(), groups[b].end());
        const double added = inertia_of(points, dimension, both) - inertia_of(points, dimension, groups[a]) -
                             inertia_of(points, dimension, groups[b]);
        if (added < least) {
          least = added;
          best_a = a;
          best_b = b;
        }
      }
    }
    groups[best_a].insert(groups[best_a].end(), groups[best_b].begin(), groups[best_b].end());
    std::sort(groups[best_a].begin(), groups[best_a].end());
    groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(best_b));
  }
  std::sort(groups.begin(), groups.end());
  return groups;
}

std::vector<Group> groups_of(const std::vector<uint32_t>& labels) {
  std::vector<Group> by_label(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) by_label[labels[i]].push_back(i);
  std::erase_if(by_label, [](const Group& group) { return group.empty(); });
  std::sort(by_label.begin(), by_label.end());
  return by_label;
}

std::vector<double> points_of(test_data::Kind kind, std::size_t count, std::size_t dimension, uint64_t seed) {
  const std::vector<float> values = test_data::vectors(kind, count, dimension, seed);
  return {values.begin(), values.end()};
}

double inertia_of(const std::vector<double>& points, std::size_t dimension,
                  const std::vector<uint32_t>& labels) {
  double sum = 0;
  for (const Group& group : groups_of(labels)) sum += inertia_of(points, dimension, group);
  return sum;
}

/// The results of a pooling, with the arrays that they lie in.
struct Pooled {
  std::vector<float> vectors;
  std::vector<uint32_t> lengths, offsets, rows;
  std::vector<float> radii;
  uint64_t count = 0;

  bool operator==(const Pooled& other) const {
    return lengths == other.lengths && offsets == other.offsets && rows == other.rows &&
           std::memcmp(vectors.data(), other.vectors.data(), vectors.size() * sizeof(float)) == 0 &&
           std::memcmp(radii.data(), other.radii.data(), radii.size() * sizeof(float)) == 0;
  }
};

struct Job {
  std::vector<float> vectors;
  std::size_t dimension;
  std::vector<uint32_t> lengths;
  std::vector<uint32_t> kept;
  Metric metric = Metric::inner_product;
  PoolingMethod method = PoolingMethod::ward;
  uint32_t protect = 0;
};

Status run(ThreadPool& pool, const Job& job, unsigned threads, const CancelFlag& cancel, Pooled* out) {
  const std::size_t room = std::accumulate(job.kept.begin(), job.kept.end(), std::size_t{0});
  out->vectors.assign(room * job.dimension, 0.0f);
  out->lengths.assign(job.lengths.size(), 0);
  out->offsets.assign(room + 1, 0);
  out->rows.assign(job.vectors.size() / job.dimension, 0);
  out->radii.assign(room, 0.0f);
  return pool_vectors(
      pool,
      {job.vectors.data(), job.dimension, job.metric, job.lengths.data(), job.kept.data(), job.lengths.size(),
       job.method, job.protect, threads},
      cancel,
      {out->vectors.data(), out->lengths.data(), out->offsets.data(), out->rows.data(), out->radii.data()},
      &out->count);
}

constexpr PoolingMethod kMethods[] = {PoolingMethod::ward, PoolingMethod::kmeans};

}  // namespace

TEST_CASE("Ward's groups are those of the definition") {
  const CancelFlag cancel;
  for (const std::size_t count : {1u, 2u, 3u, 7u, 24u, 40u}) {
    for (const std::size_t dimension : {1u, 3u, 17u}) {
      for (uint64_t seed = 0; seed < 4; ++seed) {
        const std::vector<double> points = points_of(test_data::Kind::uniform, count, dimension, seed);
        for (const std::size_t clusters : {std::size_t{1}, (count + 2) / 3, (count + 1) / 2, count}) {
          std::vector<uint32_t> labels(count);
          REQUIRE(ward_labels(points.data(), count, dimension, clusters, cancel, labels.data()));
          REQUIRE(groups_of(labels) == slow_ward(points, dimension, clusters));
        }
      }
    }
  }
}

TEST_CASE("Ward makes exactly as many groups as asked for, ties or not") {
  const CancelFlag cancel;
  for (const test_data::Kind kind : test_data::kAllKinds) {
    const std::size_t count = 50;
    const std::vector<double> points = points_of(kind, count, 2, 5);
    for (std::size_t clusters = 1; clusters <= count; ++clusters) {
      std::vector<uint32_t> labels(count);
      REQUIRE(ward_labels(points.data(), count, 2, clusters, cancel, labels.data()));
      REQUIRE(groups_of(labels).size() == clusters);
      for (std::size_t i = 0; i < count; ++i) REQUIRE(labels[labels[i]] == labels[i]);
    }
  }
}

TEST_CASE("of equal distances Ward joins the lowest") {
  const CancelFlag cancel;
  // A row of points, each one from the next.
  std::vector<double> points{0, 1, 2, 3};
  std::vector<uint32_t> labels(4);
  REQUIRE(ward_labels(points.data(), 4, 1, 3, cancel, labels.data()));
  CHECK(labels == std::vector<uint32_t>{0, 0, 2, 3});
  points = {7, 7, 7, 7};
  REQUIRE(ward_labels(points.data(), 4, 1, 2, cancel, labels.data()));
  CHECK(labels == std::vector<uint32_t>{0, 0, 0, 3});
}

TEST_CASE("the inertia of k-means does not grow from round to round, and no group asked for is lost") {
  const CancelFlag cancel;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const std::size_t count = 60;
    const std::vector<double> points = points_of(test_data::Kind::uniform, count, 4, seed);
    for (const std::size_t clusters : {1u, 2u, 7u, 30u, 59u, 60u}) {
      double last = std::numeric_limits<double>::infinity();
      for (std::size_t rounds = 1; rounds <= 12; ++rounds) {
        std::vector<uint32_t> labels(count);
        REQUIRE(kmeans_labels(points.data(), count, 4, clusters, rounds, cancel, labels.data()));
        const double inertia = inertia_of(points, 4, labels);
        REQUIRE(inertia <= last * (1 + 1e-12));
        REQUIRE(groups_of(labels).size() == clusters);
        last = inertia;
      }
    }
  }
}

TEST_CASE("settled k-means has every point at its nearest mean") {
  const CancelFlag cancel;
  for (uint64_t seed = 0; seed < 10; ++seed) {
    const std::vector<double> points = points_of(test_data::Kind::uniform, 80, 3, seed);
    std::vector<uint32_t> labels(80);
    REQUIRE(kmeans_labels(points.data(), 80, 3, 9, 1000, cancel, labels.data()));
    const std::vector<Group> groups = groups_of(labels);
    for (const Group& own : groups) {
      const std::vector<double> own_mean = mean_of(points, 3, own);
      for (const std::size_t i : own) {
        for (const Group& other : groups) {
          const std::vector<double> mean = mean_of(points, 3, other);
          REQUIRE(squared_distance(&points[3 * i], own_mean.data(), 3) <=
                  squared_distance(&points[3 * i], mean.data(), 3));
        }
      }
    }
  }
}

TEST_CASE("k-means makes one group of each different point where there are fewer than asked for") {
  const CancelFlag cancel;
  const std::vector<double> points{5, 5, 1, 5, 1, 9};
  std::vector<uint32_t> labels(6);
  REQUIRE(kmeans_labels(points.data(), 6, 1, 5, kKmeansRounds, cancel, labels.data()));
  CHECK(groups_of(labels) == std::vector<Group>{{0, 1, 3}, {2, 4}, {5}});
}

TEST_CASE("every member lies within the radius, whatever the vectors") {
  ThreadPool pool;
  const CancelFlag cancel;
  for (const PoolingMethod method : kMethods) {
    for (const Metric metric : {Metric::inner_product, Metric::cosine}) {
      for (const test_data::Kind kind : test_data::kAllKinds) {
        for (const std::size_t dimension : {1u, 8u, 37u}) {
          const Job job{
              test_data::vectors(kind, 40, dimension, 3), dimension, {1, 25, 14}, {1, 9, 7}, metric, method};
          Pooled out;
          REQUIRE(run(pool, job, 1, cancel, &out).ok());
          REQUIRE(out.offsets[out.count] == 40);
          std::vector<float> kept(job.vectors.size());
          std::vector<double> norms(40);
          FirstNotFinite bad;
          prepare_vectors(*kernel_table(Isa::scalar), job.vectors.data(), 40, dimension, metric, 0,
                          kept.data(), norms.data(), &bad);
          for (std::size_t c = 0; c < out.count; ++c) {
            for (uint32_t m = out.offsets[c]; m < out.offsets[c + 1]; ++m) {
              long double squared = 0;
              for (std::size_t d = 0; d < dimension; ++d) {
                const long double difference = static_cast<long double>(kept[out.rows[m] * dimension + d]) -
                                               out.vectors[c * dimension + d];
                squared += difference * difference;
              }
              REQUIRE(std::sqrt(squared) <= out.radii[c]);
              REQUIRE(out.radii[c] <= 2.1e30 * std::sqrt(static_cast<double>(dimension)));
            }
            if (out.offsets[c + 1] - out.offsets[c] == 1) REQUIRE(out.radii[c] == 0);
          }
        }
      }
    }
  }
}

TEST_CASE("pooling gives the same bits for every number of threads") {
  std::vector<uint32_t> lengths, kept;
  for (uint32_t d = 0; d < 60; ++d) {
    lengths.push_back(1 + d * 7 % 31);
    kept.push_back(std::min(lengths.back(), 2 + lengths.back() / 3));
  }
  const std::size_t count = std::accumulate(lengths.begin(), lengths.end(), std::size_t{0});
  const CancelFlag cancel;
  ThreadPool single, many;
  many.grow_to(8);
  for (const PoolingMethod method : kMethods) {
    const Job job{test_data::vectors(test_data::Kind::uniform, count, 19, 1),
                  19,
                  lengths,
                  kept,
                  Metric::cosine,
                  method,
                  1};
    Pooled expected;
    REQUIRE(run(single, job, 1, cancel, &expected).ok());
    for (const unsigned threads : {2u, 3u, 8u}) {
      Pooled out;
      REQUIRE(run(many, job, threads, cancel, &out).ok());
      CHECK(out == expected);
    }
  }
}

TEST_CASE("pooling refuses what is not finite with its place, and stops when cancelled") {
  ThreadPool pool;
  Job job{std::vector<float>(20, 1.0f), 2, {4, 6}, {2, 2}};
  Pooled out;
  CancelFlag cancel;
  job.vectors[13] = std::numeric_limits<float>::quiet_NaN();
  job.vectors[18] = std::numeric_limits<float>::infinity();
  const Status status = run(pool, job, 1, cancel, &out);
  CHECK(status.code == StatusCode::not_finite);
  CHECK(status.row == 6);
  CHECK(status.column == 1);
  cancel.cancel();
  CHECK(run(pool, job, 1, cancel, &out).code == StatusCode::aborted);
  uint32_t labels[3];
  const double points[3] = {1, 2, 3};
  CHECK_FALSE(ward_labels(points, 3, 1, 1, cancel, labels));
  CHECK_FALSE(kmeans_labels(points, 3, 1, 1, 5, cancel, labels));
}
