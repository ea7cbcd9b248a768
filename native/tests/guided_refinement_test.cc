#include "refinement/guided_refinement.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <vector>

#include "core/canonical_dot.h"
#include "core/canonical_exp.h"
#include "core/canonical_log.h"
#include "tests/kernel_tables.h"
#include "tests/test_data.h"

using namespace granule;

namespace {

struct Job {
  std::size_t dimension;
  std::vector<float> query;
  std::vector<float> documents;
  std::vector<uint32_t> lengths;
  std::vector<double> complementary;
  double weight = 0.5;
  double temperature = 1;
  double learning_rate = 1e-3;
  uint32_t steps = 20;
  bool moving_target = false;

  std::size_t query_vectors() const { return query.size() / dimension; }
};

struct Result {
  std::vector<float> query;
  std::vector<double> scores, losses;
  uint64_t comparisons = 0;

  /// The bits of everything but the comparisons.
  bool same_bits(const Result& other) const {
    const auto same = [](const auto& a, const auto& b) {
      return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof a[0]) == 0;
    };
    return same(query, other.query) && same(scores, other.scores) && same(losses, other.losses);
  }
};

Status run(ThreadPool& pool, const KernelTable& kernels, const Job& job, unsigned threads,
           const CancelFlag& cancel, Result* result) {
  result->query.assign(job.query.size(), 0.0f);
  result->scores.assign(job.lengths.size(), 0.0);
  result->losses.assign(job.steps + 1, 0.0);
  RefinedQuery out{result->query.data(), result->scores.data(), result->losses.data(), 0};
  const Status status =
      refine_query(pool, kernels,
                   {job.query.data(), job.query_vectors(), job.dimension, job.documents.data(),
                    job.lengths.data(), job.lengths.size(), job.complementary.data(), job.weight,
                    job.temperature, job.learning_rate, job.steps, job.moving_target, threads},
                   cancel, &out);
  result->comparisons = out.comparisons;
  return status;
}

struct Distribution {
  std::vector<double> p, log_p;
};

Distribution slow_softmax(const std::vector<double>& scores, double temperature) {
  double greatest = scores[0];
  for (const double score : scores) greatest = std::max(greatest, score);
  Distribution out;
  double sum = 0;
  for (const double score : scores) {
    out.log_p.push_back((score - greatest) / temperature);
    out.p.push_back(canonical_exp(out.log_p.back()));
    sum += out.p.back();
  }
  for (double& p : out.p) p /= sum;
  for (double& log_p : out.log_p) log_p -= canonical_log(sum);
  return out;
}

/// By the definition: every similarity is computed at every step.
Result slow_refinement(const Job& job) {
  const std::size_t n = job.query_vectors();
  const std::size_t dimension = job.dimension;
  const std::size_t count = job.lengths.size();
  Result out;
  out.query = job.query;
  std::vector<double> z(job.query.begin(), job.query.end());
  std::vector<double> first(z.size(), 0.0), second(z.size(), 0.0), target;
  double first_power = 1, second_power = 1;
  const Distribution guide = slow_softmax(job.complementary, job.temperature);
  for (uint32_t step = 0;; ++step) {
    std::vector<const float*> matches(n * count);
    std::vector<double> scores(count);
    const float* vector = job.documents.data();
    for (std::size_t d = 0; d < count; ++d) {
      std::vector<float> best(n, -std::numeric_limits<float>::infinity());
      for (uint32_t j = 0; j < job.lengths[d]; ++j, vector += dimension) {
        for (std::size_t i = 0; i < n; ++i) {
          const auto similarity =
              static_cast<float>(canonical_dot(out.query.data() + i * dimension, vector, dimension));
          if (similarity > best[i]) {
            best[i] = similarity;
            matches[i * count + d] = vector;
          }
        }
      }
      scores[d] = std::accumulate(best.begin(), best.end(), 0.0) / static_cast<double>(n);
    }
    const Distribution p = slow_softmax(scores, job.temperature);
    if (step == 0 || job.moving_target) {
      target.resize(count);
      for (std::size_t d = 0; d < count; ++d) target[d] = (1 - job.weight) * p.p[d] + job.weight * guide.p[d];
    }
    double loss = 0;
    for (std::size_t d = 0; d < count; ++d) {
      if (target[d] > 0x1p-1000) {
        loss += target[d] * (-canonical_log(std::max(1.0, 1 / target[d])) - p.log_p[d]);
      }
    }
    out.losses.push_back(loss);
    out.scores = scores;
    if (step == job.steps) return out;
    first_power *= 0.9;
    second_power *= 0.999;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t k = 0; k < dimension; ++k) {
        double g = 0;
        for (std::size_t d = 0; d < count; ++d) {
          g += 1 / (job.temperature * static_cast<double>(n)) * (p.p[d] - target[d]) *
               matches[i * count + d][k];
        }
        const std::size_t at = i * dimension + k;
        first[at] = 0.9 * first[at] + (1 - 0.9) * g;
        second[at] = 0.999 * second[at] + (1 - 0.999) * (g * g);
        z[at] -= job.learning_rate / (1 - first_power) * first[at] /
                 (std::sqrt(second[at] * (1 / (1 - second_power))) + 1e-8);
        out.query[at] = static_cast<float>(z[at]);
      }
    }
  }
}

std::vector<double> scores_of(std::size_t count, uint64_t seed) {
  test_data::Random random(seed);
  std::vector<double> scores(count);
  for (double& score : scores) score = random.uniform();
  return scores;
}

/// Unit query vectors and documents of `vectors` unit vectors each.
Job unit_job(std::size_t dimension, std::size_t query_vectors, std::size_t documents, uint32_t vectors,
             uint64_t seed) {
  const auto units = [&](std::size_t count, uint64_t from) {
    std::vector<float> out = test_data::vectors(test_data::Kind::uniform, count, dimension, from);
    for (std::size_t i = 0; i < count; ++i) {
      float* vector = out.data() + i * dimension;
      const auto norm = static_cast<float>(std::sqrt(canonical_dot(vector, vector, dimension)));
      for (std::size_t k = 0; k < dimension; ++k) vector[k] /= norm;
    }
    return out;
  };
  return {dimension, units(query_vectors, seed), units(documents * vectors, seed + 1),
          std::vector<uint32_t>(documents, vectors), scores_of(documents, seed + 2)};
}

}  // namespace

TEST_CASE("refinement is bit for bit what computing every similarity at every step gives") {
  ThreadPool pool;
  pool.grow_to(2);
  const CancelFlag cancel;
  for (const KernelTable& kernels : test_kernels::tables()) {
    CAPTURE(kernels.inner_product.symbol);
    for (const double learning_rate : {1e-4, 1e-3, 5e-3, 0.1}) {
      for (const bool moving_target : {false, true}) {
        Job job = unit_job(24, 5, 4, 70, 11);
        job.learning_rate = learning_rate;
        job.moving_target = moving_target;
        Result result;
        REQUIRE(run(pool, kernels, job, 2, cancel, &result).ok());
        CHECK(result.same_bits(slow_refinement(job)));
      }
    }
  }
}

TEST_CASE("refinement of any length, dimension and kind of numbers is that of the definition") {
  ThreadPool pool;
  const CancelFlag cancel;
  const KernelTable kernels = test_kernels::tables().back();
  for (const test_data::Kind kind : test_data::kAllKinds) {
    // Products of these are beyond float32.
    if (kind == test_data::Kind::huge || kind == test_data::Kind::one_huge_dimension) continue;
    CAPTURE(static_cast<int>(kind));
    for (const std::size_t dimension : {1u, 7u, 33u}) {
      for (const std::size_t query_vectors : {1u, 2u, 19u}) {
        Job job{dimension,
                test_data::vectors(kind, query_vectors, dimension, 3),
                {},
                {1, 15, 16, 17, 1, 40},
                scores_of(6, 4)};
        job.documents = test_data::vectors(kind, 90, dimension, 5);
        job.steps = 8;
        job.learning_rate = 0.05;
        Result result;
        REQUIRE(run(pool, kernels, job, 1, cancel, &result).ok());
        CHECK(result.same_bits(slow_refinement(job)));
      }
    }
  }
}

TEST_CASE("refinement over many steps, of any length, is that of the definition") {
  ThreadPool pool;
  const CancelFlag cancel;
  const KernelTable kernels = test_kernels::tables().back();
  Job job = unit_job(16, 3, 4, 300, 12);
  job.steps = 60;
  for (const double learning_rate : {1e-9, 1e-5, 1e-3, 1e-2, 0.1}) {
    CAPTURE(learning_rate);
    job.learning_rate = learning_rate;
    Result result;
    REQUIRE(run(pool, kernels, job, 1, cancel, &result).ok());
    CHECK(result.same_bits(slow_refinement(job)));
  }
}

TEST_CASE("refinement gives the same bits and does the same work with every number of threads") {
  ThreadPool pool;
  pool.grow_to(4);
  const CancelFlag cancel;
  const KernelTable kernels = test_kernels::tables().back();
  const Job job = unit_job(32, 21, 5, 200, 8);
  Result alone;
  REQUIRE(run(pool, kernels, job, 1, cancel, &alone).ok());
  for (const unsigned threads : {2u, 3u, 8u}) {
    Result together;
    REQUIRE(run(pool, kernels, job, threads, cancel, &together).ok());
    CHECK(together.same_bits(alone));
    CHECK(together.comparisons == alone.comparisons);
  }
}

TEST_CASE("refinement computes few of the similarities") {
  ThreadPool pool;
  const CancelFlag cancel;
  const Job job = unit_job(128, 8, 6, 600, 21);
  Result result;
  REQUIRE(run(pool, test_kernels::tables().back(), job, 1, cancel, &result).ok());
  const uint64_t places = 8 * 6;
  CHECK(result.comparisons >= places * (job.steps + 1));
  CHECK(result.comparisons < places * 600 * (job.steps + 1) / 50);
}

TEST_CASE("refinement computes few similarities of vectors that codes cannot tell apart") {
  ThreadPool pool;
  const CancelFlag cancel;
  Job job = unit_job(128, 8, 6, 200, 21);
  test_data::Random random(4);
  // Each document's vectors lie around its first.
  for (std::size_t at = 0; at < job.documents.size(); ++at) {
    const std::size_t first = at / (200 * 128) * (200 * 128) + at % 128;
    if (at != first) job.documents[at] = job.documents[first] + 2e-3f * static_cast<float>(random.uniform());
  }
  job.learning_rate = 1e-4;
  Result result;
  REQUIRE(run(pool, test_kernels::tables().back(), job, 1, cancel, &result).ok());
  CHECK(result.comparisons < 8 * 6 * 200 * (job.steps + 1) / 4);
  CHECK(result.same_bits(slow_refinement(job)));
}

TEST_CASE("refinement lowers the loss, and a query of the target's distribution stays") {
  ThreadPool pool;
  const CancelFlag cancel;
  const KernelTable kernels = test_kernels::tables().back();
  Job job = unit_job(32, 4, 5, 30, 9);
  job.steps = 50;
  Result result;
  REQUIRE(run(pool, kernels, job, 1, cancel, &result).ok());
  CHECK(result.losses.back() < result.losses.front() / 2);
  job.weight = 0;
  REQUIRE(run(pool, kernels, job, 1, cancel, &result).ok());
  CHECK(result.query == job.query);
  CHECK(std::fabs(result.losses.back()) < 1e-15);
}

TEST_CASE("refinement refuses what is not finite and says where; what overflows float32 too") {
  ThreadPool pool;
  const CancelFlag cancel;
  const KernelTable kernels = test_kernels::tables().back();
  Result result;
  Job job = unit_job(9, 3, 2, 20, 1);
  job.documents[33 * 9 + 4] = std::numeric_limits<float>::quiet_NaN();
  Status status = run(pool, kernels, job, 1, cancel, &result);
  CHECK(status.code == StatusCode::not_finite);
  CHECK(status.row == 33);
  CHECK(status.column == 4);
  job = unit_job(9, 3, 2, 20, 1);
  job.query[2 * 9 + 8] = std::numeric_limits<float>::infinity();
  status = run(pool, kernels, job, 1, cancel, &result);
  CHECK(status.code == StatusCode::not_finite);
  CHECK(status.row == 2);
  CHECK(status.column == 8);
  job = unit_job(9, 3, 2, 20, 1);
  for (std::size_t i = 20 * 9; i < job.documents.size(); ++i) job.documents[i] = 3e38f;
  for (float& value : job.query) value = 1;
  status = run(pool, kernels, job, 1, cancel, &result);
  CHECK(status.code == StatusCode::not_finite);
  CHECK(status.row == 1);
}

TEST_CASE("a cancelled refinement ends as aborted") {
  ThreadPool pool;
  CancelFlag cancel;
  cancel.cancel();
  Result result;
  const Job job = unit_job(8, 2, 2, 20, 1);
  CHECK(run(pool, test_kernels::tables().back(), job, 1, cancel, &result).code == StatusCode::aborted);
}
