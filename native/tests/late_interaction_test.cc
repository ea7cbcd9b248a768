#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "core/canonical_dot.h"
#include "late_interaction/document_scores.h"
#include "late_interaction/similarity_tile.h"
#include "tests/kernel_tables.h"
#include "tests/late_interaction_oracle.h"
#include "tests/test_data.h"

using namespace granule;
using namespace late_interaction_oracle;

namespace {

constexpr MultiVectorScore kScores[] = {
    MultiVectorScore::maxsim,   MultiVectorScore::mean_maxsim, MultiVectorScore::smooth_maxsim,
    MultiVectorScore::top_mean, MultiVectorScore::filip,       MultiVectorScore::pacl,
    MultiVectorScore::sparc,    MultiVectorScore::flair,       MultiVectorScore::bi_isa};

/// Those without exponentials: their definition fixes the order of every addition.
bool is_fixed(MultiVectorScore score) {
  return score == MultiVectorScore::maxsim || score == MultiVectorScore::mean_maxsim ||
         score == MultiVectorScore::top_mean || score == MultiVectorScore::filip ||
         score == MultiVectorScore::sparc;
}

struct Job {
  std::size_t dimension;
  std::vector<float> query;
  std::vector<float> documents;
  std::vector<uint32_t> lengths;
  std::vector<double> weights = {};
  double temperature = 0.1;
  std::size_t most = 3;
  FilipDirection direction = FilipDirection::both;
  BiIsaMixing mixing = {};

  std::size_t query_vectors() const { return query.size() / dimension; }
};

Job job_of(test_data::Kind kind, std::size_t dimension, std::size_t query_vectors,
           std::vector<uint32_t> lengths) {
  std::size_t rows = 0;
  for (const uint32_t length : lengths) rows += length;
  Job job;
  job.dimension = dimension;
  job.query = test_data::vectors(kind, query_vectors, dimension, 1);
  job.documents = test_data::vectors(kind, rows, dimension, 2);
  job.lengths = std::move(lengths);
  return job;
}

struct Result {
  std::vector<double> scores;
  std::vector<uint32_t> vectors;
  std::vector<float> similarities;

  bool same_bits(const Result& other) const {
    const auto same = [](const auto& a, const auto& b) {
      return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof a[0]) == 0;
    };
    return same(scores, other.scores) && same(vectors, other.vectors) &&
           same(similarities, other.similarities);
  }
};

Status run(ThreadPool& pool, unsigned threads, const KernelTable& kernels, const Job& job,
           MultiVectorScore score, Result* result, const CancelFlag& cancel = {}) {
  const std::size_t places = job.lengths.size() * job.query_vectors();
  result->scores.assign(job.lengths.size(), 0);
  result->vectors.assign(places, 0);
  result->similarities.assign(places, 0);
  const MultiVectorScoring scoring{score,           job.weights.empty() ? nullptr : job.weights.data(),
                                   job.temperature, job.most,
                                   job.direction,   job.mixing};
  return score_documents(pool, kernels,
                         {job.query.data(), job.query_vectors(), job.dimension, job.documents.data(),
                          job.lengths.data(), job.lengths.size(), scoring, threads},
                         cancel,
                         {result->scores.data(), result->vectors.data(), result->similarities.data()});
}

/// The tile of a document that begins at vector `first`.
Tile slow_tile(const Job& job, std::size_t first, std::size_t length) {
  Tile tile(job.query_vectors(), Numbers(length));
  for (std::size_t i = 0; i < tile.size(); ++i) {
    for (std::size_t j = 0; j < length; ++j) {
      tile[i][j] = static_cast<float>(canonical_dot(job.query.data() + i * job.dimension,
                                                    job.documents.data() + (first + j) * job.dimension,
                                                    job.dimension));
    }
  }
  return tile;
}

/// By the definition, with the C library's exponentials and a plain order.
double slow_score(const Job& job, MultiVectorScore score, const Tile& tile) {
  const auto weighted = [&](const std::function<double(const Numbers&)>& reduce) {
    double total = 0;
    for (std::size_t i = 0; i < tile.size(); ++i) {
      total += (job.weights.empty() ? 1 : job.weights[i]) * reduce(tile[i]);
    }
    return total;
  };
  const double weights = job.weights.empty() ? static_cast<double>(tile.size()) : sum(job.weights);
  const std::size_t length = tile[0].size();
  const double t = job.temperature;
  Numbers columns;
  switch (score) {
    case MultiVectorScore::maxsim:
      return weighted(greatest);
    case MultiVectorScore::mean_maxsim:
      return weighted(greatest) / weights;
    case MultiVectorScore::smooth_maxsim:
      return weighted([&](const Numbers& row) { return smooth_maximum(row, t); });
    case MultiVectorScore::top_mean:
      return weighted([&](const Numbers& row) {
        Numbers best = row;
        std::sort(best.begin(), best.end(), std::greater<>());
        best.resize(std::min(job.most, best.size()));
        return sum(best) / static_cast<double>(best.size());
      });
    case MultiVectorScore::filip: {
      const double forwards = weighted(greatest) / weights;
      for (std::size_t j = 0; j < length; ++j) columns.push_back(greatest(column(tile, j)));
      const double backwards = sum(columns) / static_cast<double>(length);
      return job.direction == FilipDirection::both                ? (forwards + backwards) / 2
             : job.direction == FilipDirection::query_to_document ? forwards
                                                                  : backwards;
    }
    case MultiVectorScore::pacl:
      return weighted([&](const Numbers& row) { return attended(softmax(row, t), row); }) / weights;
    case MultiVectorScore::sparc:
      return weighted(slow_sparc) / weights;
    case MultiVectorScore::flair:
      return weighted([&](const Numbers& row) {
               Numbers keys = row;
               keys.push_back(0);
               return attended(softmax(keys, t), keys);
             }) /
             weights;
    case MultiVectorScore::bi_isa: {
      for (std::size_t j = 0; j < length; ++j) {
        columns.push_back(interactive(column(tile, j), t, job.mixing.words));
      }
      Numbers rows;
      for (const Numbers& row : tile) rows.push_back(interactive(row, t, job.mixing.patches));
      return (interactive(columns, t, job.mixing.over_patches) +
              interactive(rows, t, job.mixing.over_words)) /
             2;
    }
  }
  return 0;
}

/// Checks one result against the definitions. @return the greatest error, relative to the similarities
double check(const Job& job, MultiVectorScore score, const Result& result) {
  double worst = 0;
  std::size_t first = 0;
  for (std::size_t d = 0; d < job.lengths.size(); first += job.lengths[d], ++d) {
    const std::size_t place = d * job.query_vectors();
    if (job.lengths[d] == 0) {
      CHECK(result.scores[d] == -std::numeric_limits<double>::infinity());
      CHECK(result.vectors[place] == 0xffffffffu);
      CHECK(result.similarities[place] == -std::numeric_limits<float>::infinity());
      continue;
    }
    const Tile tile = slow_tile(job, first, job.lengths[d]);
    double scale = job.temperature;
    for (std::size_t i = 0; i < tile.size(); ++i) {
      const auto best = std::max_element(tile[i].begin(), tile[i].end());
      CHECK(result.vectors[place + i] == static_cast<uint32_t>(best - tile[i].begin()));
      CHECK(result.similarities[place + i] == static_cast<float>(*best));
      for (const double value : tile[i]) scale = std::max(scale, std::abs(value));
    }
    const double expected = slow_score(job, score, tile);
    if (is_fixed(score)) CHECK(result.scores[d] == expected);
    worst =
        std::max(worst, std::abs(result.scores[d] - expected) / (scale * static_cast<double>(tile.size())));
  }
  return worst;
}

}  // namespace

TEST_CASE("every instruction set and number of threads gives the scores of the definitions, the same bits") {
  const std::vector<KernelTable> tables = test_kernels::float_tables();
  ThreadPool pool;
  pool.grow_to(3);
  double worst = 0;
  std::size_t compared = 0;
  for (const test_data::Kind kind : {test_data::Kind::uniform, test_data::Kind::few_values,
                                     test_data::Kind::zeros, test_data::Kind::tiny}) {
    for (const std::size_t dimension : {1u, 3u, 8u, 37u, 2048u}) {
      // One beside kTileBlock on either side.
      const std::vector<uint32_t> lengths = dimension < 2048
                                                ? std::vector<uint32_t>{0, 1, 2, 7, 64, 0, 65, 131}
                                                : std::vector<uint32_t>{1, 0, 66};
      Job job = job_of(kind, dimension, dimension == 3 ? 67 : 5, lengths);
      for (const bool weighted : {false, true}) {
        if (weighted) {
          for (std::size_t i = 0; i < job.query_vectors(); ++i) {
            job.weights.push_back(0.25 * static_cast<double>(i % 4));
          }
        }
        for (const MultiVectorScore score : kScores) {
          if (weighted && (score == MultiVectorScore::filip || score == MultiVectorScore::bi_isa)) continue;
          CAPTURE(dimension);
          CAPTURE(static_cast<int>(score));
          Result reference;
          REQUIRE(run(pool, 1, tables[0], job, score, &reference).ok());
          worst = std::max(worst, check(job, score, reference));
          for (const KernelTable& table : tables) {
            for (const unsigned threads : {1u, 3u}) {
              Result result;
              REQUIRE(run(pool, threads, table, job, score, &result).ok());
              CHECK(result.same_bits(reference));
              ++compared;
            }
          }
        }
      }
    }
  }
  MESSAGE(compared << " results the same bits; at most " << worst
                   << " of the similarities from the C library's");
  CHECK(worst < 1e-12);
}

TEST_CASE("options are those of the definitions: directions, how many are averaged, temperatures, matrices") {
  ThreadPool pool;
  const KernelTable& scalar = *kernel_table(Isa::scalar);
  Job job = job_of(test_data::Kind::uniform, 8, 4, {6, 0, 6});
  for (const FilipDirection direction :
       {FilipDirection::both, FilipDirection::query_to_document, FilipDirection::document_to_query}) {
    job.direction = direction;
    Result result;
    REQUIRE(run(pool, 1, scalar, job, MultiVectorScore::filip, &result).ok());
    check(job, MultiVectorScore::filip, result);
  }
  for (const std::size_t most : {std::size_t{1}, std::size_t{6}, std::size_t{0xffffffff}}) {
    job.most = most;
    Result result;
    REQUIRE(run(pool, 1, scalar, job, MultiVectorScore::top_mean, &result).ok());
    check(job, MultiVectorScore::top_mean, result);
  }
  // On the threshold of sparc, a quarter of the range, a vector is kept.
  Job given{1, {1}, {1, 0.25f, 0, 0.125f}, {4}};
  Result result;
  REQUIRE(run(pool, 1, scalar, given, MultiVectorScore::sparc, &result).ok());
  CHECK(result.scores[0] == (1 + 0.25 * 0.25) / 1.25);
  // A text that is far from every vector attends to flair's empty key, whatever the temperature.
  given.documents = {-3, -2, -1, -2};
  given.temperature = 1e-3;
  REQUIRE(run(pool, 1, scalar, given, MultiVectorScore::flair, &result).ok());
  CHECK(result.scores[0] == 0);
  const std::vector<float> words = test_data::vectors(test_data::Kind::uniform, 4, 4, 5);
  const std::vector<float> over_words = test_data::vectors(test_data::Kind::uniform, 4, 4, 6);
  const std::vector<float> patches = test_data::vectors(test_data::Kind::uniform, 6, 6, 7);
  const std::vector<float> over_patches = test_data::vectors(test_data::Kind::uniform, 6, 6, 8);
  job.mixing = {words.data(), over_patches.data(), patches.data(), over_words.data()};
  for (const double temperature : {1e-300, 0.01, 1.0, 1e300}) {
    job.temperature = temperature;
    for (const MultiVectorScore score : {MultiVectorScore::smooth_maxsim, MultiVectorScore::pacl,
                                         MultiVectorScore::flair, MultiVectorScore::bi_isa}) {
      Result result;
      REQUIRE(run(pool, 1, scalar, job, score, &result).ok());
      CAPTURE(temperature);
      CAPTURE(static_cast<int>(score));
      CHECK(check(job, score, result) < 1e-12);
    }
  }
}

TEST_CASE("a document of more vectors than 65,536 is scored like any other, and neighbours do not matter") {
  ThreadPool pool;
  pool.grow_to(2);
  const KernelTable kernels = test_kernels::float_tables().back();
  const Job job = job_of(test_data::Kind::uniform, 3, 2, {1, 65539, 2});
  for (const MultiVectorScore score : {MultiVectorScore::maxsim, MultiVectorScore::top_mean,
                                       MultiVectorScore::filip, MultiVectorScore::pacl}) {
    Result result;
    REQUIRE(run(pool, 2, kernels, job, score, &result).ok());
    const Tile tile = slow_tile(job, 1, 65539);
    const double expected = slow_score(job, score, tile);
    if (is_fixed(score)) {
      CHECK(result.scores[1] == expected);
    } else {
      CHECK(std::abs(result.scores[1] - expected) < 1e-12);
    }
    CHECK(tile[1][result.vectors[3]] == greatest(tile[1]));
  }
}

TEST_CASE("what is not finite is reported by its first document, query vector and vector") {
  ThreadPool pool;
  pool.grow_to(3);
  for (const KernelTable& kernels : test_kernels::float_tables()) {
    for (const unsigned threads : {1u, 3u}) {
      Job job = job_of(test_data::Kind::uniform, 3, 66, {2, 0, 70, 5, 70});
      job.documents[(2 + 66) * 3 + 1] = std::numeric_limits<float>::quiet_NaN();
      job.documents[(2 + 70 + 5 + 3) * 3] = std::numeric_limits<float>::infinity();
      Result result;
      const Status status = run(pool, threads, kernels, job, MultiVectorScore::pacl, &result);
      CHECK(status.code == StatusCode::not_finite);
      CHECK(status.row == 0);
      CHECK(status.column == 66);
      CHECK(status.message == "the similarity of query vector 0 and vector 66 of document 2 is NaN");
    }
  }
  // Finite vectors, whose inner product is beyond float32.
  const Job huge = job_of(test_data::Kind::huge, 8, 2, {3});
  Result result;
  CHECK(run(pool, 1, *kernel_table(Isa::scalar), huge, MultiVectorScore::maxsim, &result).code ==
        StatusCode::not_finite);

  // One similarity of the first query vector, in a block whose other numbers are finite.
  const Job one{1, {3e38f, 1}, {1, 2, 1}, {3}};
  const Status beyond = run(pool, 1, *kernel_table(Isa::scalar), one, MultiVectorScore::maxsim, &result);
  CHECK(beyond.row == 0);
  CHECK(beyond.column == 1);
  // Two documents at the same time: the first, which is shorter and ends first, is reported.
  Job pair = job_of(test_data::Kind::uniform, 3, 66, {2000, 6000});
  pair.documents[0] = pair.documents.back() = std::numeric_limits<float>::quiet_NaN();
  for (int round = 0; round < 5; ++round) {
    const Status first = run(pool, 2, *kernel_table(Isa::scalar), pair, MultiVectorScore::maxsim, &result);
    CHECK(first.message == "the similarity of query vector 0 and vector 0 of document 0 is NaN");
  }

  Job mixed = job_of(test_data::Kind::uniform, 3, 2, {0, 3});
  std::vector<float> matrix(9, 1.0f);
  matrix[5] = -std::numeric_limits<float>::infinity();
  mixed.mixing.patches = matrix.data();
  const Status status = run(pool, 1, *kernel_table(Isa::scalar), mixed, MultiVectorScore::bi_isa, &result);
  CHECK(status.code == StatusCode::not_finite);
  CHECK(status.message == "patchMixing is -Infinity at 1, 2");
}

TEST_CASE(
    "a tile holds the reference inner products for every shape, instruction set and number of threads") {
  ThreadPool pool;
  pool.grow_to(3);
  const CancelFlag cancel;
  for (const std::size_t dimension : {1u, 3u, 40u, 2048u}) {
    for (const std::size_t query_vectors : {1u, 6u, dimension < 2048 ? 65u : 7u}) {
      // The last are several tasks of a tile.
      for (const std::size_t vectors : {0u, 1u, 63u, dimension < 2048 ? 129u : 449u}) {
        const Job job = job_of(test_data::Kind::mixed_magnitudes, dimension, query_vectors,
                               {static_cast<uint32_t>(vectors)});
        const Tile expected = slow_tile(job, 0, vectors);
        for (const KernelTable& kernels : test_kernels::float_tables()) {
          for (const unsigned threads : {1u, 3u}) {
            std::vector<float> out(query_vectors * vectors + 1, 7.0f);
            const VectorPair pair{job.query.data(), query_vectors, job.documents.data(), vectors, dimension};
            REQUIRE(similarity_tile(pool, threads, kernels, pair, cancel, out.data()).ok());
            std::size_t wrong = 0;
            for (std::size_t at = 0; at < query_vectors * vectors; ++at) {
              wrong += out[at] != static_cast<float>(expected[at / vectors][at % vectors]);
            }
            CHECK(wrong == 0);
            CHECK(out.back() == 7.0f);
          }
        }
      }
    }
  }
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> query = {1, 2};
  const std::vector<float> document = {1, nan, nan};
  std::vector<float> out(6);
  const Status status = similarity_tile(pool, 1, *kernel_table(Isa::scalar),
                                        {query.data(), 2, document.data(), 3, 1}, cancel, out.data());
  CHECK(status.message == "the similarity of query vector 0 and document vector 1 is NaN");
}

TEST_CASE("a cancelled scoring and a cancelled tile say so") {
  ThreadPool pool;
  CancelFlag cancel;
  cancel.cancel();
  const Job job = job_of(test_data::Kind::uniform, 3, 2, {3, 4});
  Result result;
  for (const MultiVectorScore score : kScores) {
    CHECK(run(pool, 1, *kernel_table(Isa::scalar), job, score, &result, cancel).code == StatusCode::aborted);
  }
  std::vector<float> out(6);
  CHECK(similarity_tile(pool, 1, *kernel_table(Isa::scalar),
                        {job.query.data(), 2, job.documents.data(), 3, 3}, cancel, out.data())
            .code == StatusCode::aborted);
}
