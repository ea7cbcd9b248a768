// Whole searches of every backend, instruction set, metric, thread count and batch size against the oracle,
// bit for bit.

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "tests/oracle.h"
#include "tests/search_fixture.h"
#include "tests/test_data.h"

using namespace granule;
using test_data::Kind;
using test_data::Random;
using test_search::engine_for;
using test_search::Result;

namespace {

std::vector<uint32_t> ragged_lengths(std::size_t documents, std::size_t longest, uint64_t seed) {
  Random random(seed);
  std::vector<uint32_t> lengths(documents);
  for (uint32_t& length : lengths) length = 1 + static_cast<uint32_t>(random.below(longest));
  return lengths;
}

std::size_t sum(const std::vector<uint32_t>& values) {
  std::size_t total = 0;
  for (const uint32_t value : values) total += value;
  return total;
}

std::vector<float> as_stored(Metric metric, const std::vector<float>& vectors, std::size_t dimension) {
  return metric == Metric::cosine ? oracle::normalised(vectors, dimension) : vectors;
}

/// The oracle's best rows for each query.
using Ranking = std::vector<std::vector<std::pair<float, uint32_t>>>;

/// Calls with every instruction set, with and without codes.
template <class Check>
void for_every_engine(const Check& check) {
  for (const Isa isa : test_search::search_isas()) {
    CAPTURE(isa_name(isa));
    for (const bool coded : {false, true}) {
      CAPTURE(coded);
      check(isa, coded);
    }
  }
}

/// The oracle is slow, and its answer is the same for every engine and number of threads.
void check_flat(Metric metric, Kind kind, std::size_t dimension, std::size_t rows, std::size_t queries,
                uint32_t k, const std::vector<unsigned>& thread_counts, bool filtered) {
  CAPTURE(static_cast<int>(metric));
  CAPTURE(static_cast<int>(kind));
  CAPTURE(dimension);
  CAPTURE(rows);
  const std::vector<float> x = test_data::vectors(kind, rows, dimension, 1);
  const std::vector<float> y = test_data::vectors(kind, queries, dimension, 2);
  std::vector<uint8_t> filter((rows + 7) / 8, 0);
  Random random(3);
  for (uint8_t& byte : filter) byte = static_cast<uint8_t>(random.next());

  Ranking expected;
  const std::vector<float> sx = as_stored(metric, x, dimension);
  const std::vector<float> sy = as_stored(metric, y, dimension);
  for (std::size_t q = 0; q < queries; ++q) {
    std::vector<std::pair<float, uint32_t>> scored;
    for (uint32_t r = 0; r < rows; ++r) {
      if (filtered && ((filter[r / 8] >> (r % 8)) & 1) == 0) continue;
      scored.emplace_back(
          oracle::score(static_cast<int>(metric), &sy[q * dimension], &sx[r * dimension], dimension), r);
    }
    expected.push_back(oracle::ranked(scored, k));
  }

  const auto check = [&](Isa isa, bool coded, unsigned threads) {
    CAPTURE(threads);
    SegmentStore store(engine_for(isa, threads),
                       {static_cast<uint32_t>(dimension), metric, Dtype::f32, false, coded});
    uint64_t first = 0;
    // In two pieces, so that segments are filled, left and begun.
    const std::size_t half = rows / 2;
    REQUIRE(store.add({x.data(), half, nullptr, half}, threads, CancelFlag(), &first).ok());
    REQUIRE(store
                .add({x.data() + half * dimension, rows - half, nullptr, rows - half}, threads, CancelFlag(),
                     &first)
                .ok());
    CHECK(first == half);

    SearchOptions options;
    options.k = k;
    options.threads = threads;
    if (filtered) {
      options.filter = filter.data();
      options.filter_bytes = filter.size();
    }
    Result result(queries, queries, k);
    REQUIRE(test_search::search(store, y, nullptr, options, result.hits(false)).ok());
    for (std::size_t q = 0; q < queries; ++q) {
      REQUIRE(result.counts[q] == expected[q].size());
      for (std::size_t i = 0; i < k; ++i) {
        const bool used = i < expected[q].size();
        REQUIRE(result.rows[q * k + i] == (used ? expected[q][i].second : 0xffffffffu));
        REQUIRE(oracle::bits(result.scores[q * k + i]) ==
                oracle::bits(used ? expected[q][i].first : -std::numeric_limits<float>::infinity()));
      }
    }
  };
  for_every_engine([&](Isa isa, bool coded) {
    for (const unsigned threads : thread_counts) check(isa, coded, threads);
  });
}

void check_documents(Metric metric, Kind kind, std::size_t dimension, std::size_t documents,
                     std::size_t longest, unsigned threads, bool with_candidates) {
  CAPTURE(static_cast<int>(metric));
  CAPTURE(static_cast<int>(kind));
  CAPTURE(dimension);
  constexpr uint32_t kWanted = 5;
  const std::vector<uint32_t> lengths = ragged_lengths(documents, longest, 7);
  const std::vector<uint32_t> query_lengths = {1, 3, 8, 17};
  const std::vector<float> x = test_data::vectors(kind, sum(lengths), dimension, 1);
  const std::vector<float> y = test_data::vectors(kind, sum(query_lengths), dimension, 2);
  const std::vector<uint32_t> candidates = {static_cast<uint32_t>(documents - 1), 0, 3, 3, 0};

  std::vector<std::vector<oracle::MaxSim>> all;
  Ranking expected;
  const std::vector<float> sx = as_stored(metric, x, dimension);
  const std::vector<float> sy = as_stored(metric, y, dimension);
  const float* query = sy.data();
  for (const uint32_t query_vectors : query_lengths) {
    all.emplace_back();
    std::vector<std::pair<float, uint32_t>> scored;
    const float* document = sx.data();
    for (uint32_t d = 0; d < documents; ++d) {
      all.back().push_back(
          oracle::maxsim(static_cast<int>(metric), query, query_vectors, document, lengths[d], dimension));
      document += lengths[d] * dimension;
      const bool wanted =
          !with_candidates || std::find(candidates.begin(), candidates.end(), d) != candidates.end();
      if (wanted) scored.emplace_back(all.back().back().score, d);
    }
    expected.push_back(oracle::ranked(scored, kWanted));
    query += query_vectors * dimension;
  }

  for_every_engine([&](Isa isa, bool coded) {
    SegmentStore store(engine_for(isa, threads),
                       {static_cast<uint32_t>(dimension), metric, Dtype::f32, true, coded});
    uint64_t first = 0;
    const std::size_t half = documents / 2;
    std::size_t half_vectors = 0;
    for (std::size_t i = 0; i < half; ++i) half_vectors += lengths[i];
    REQUIRE(store.add({x.data(), half_vectors, lengths.data(), half}, threads, CancelFlag(), &first).ok());
    REQUIRE(store
                .add({x.data() + half_vectors * dimension, sum(lengths) - half_vectors, lengths.data() + half,
                      documents - half},
                     threads, CancelFlag(), &first)
                .ok());

    SearchOptions options;
    options.k = kWanted;
    options.threads = threads;
    if (with_candidates) {
      options.candidates = candidates.data();
      options.candidate_count = candidates.size();
    }
    Result result(query_lengths.size(), sum(query_lengths), kWanted);
    REQUIRE(test_search::search(store, y, &query_lengths, options, result.hits(true)).ok());
    std::size_t query_start = 0;
    for (std::size_t q = 0; q < query_lengths.size(); ++q) {
      REQUIRE(result.counts[q] == expected[q].size());
      for (std::size_t i = 0; i < kWanted; ++i) {
        const oracle::MaxSim* best = i < expected[q].size() ? &all[q][expected[q][i].second] : nullptr;
        const float lowest = -std::numeric_limits<float>::infinity();
        REQUIRE(result.rows[q * kWanted + i] == (best ? expected[q][i].second : 0xffffffffu));
        for (std::size_t t = 0; t < query_lengths[q]; ++t) {
          const std::size_t at = kWanted * query_start + i * query_lengths[q] + t;
          REQUIRE(result.matched_vectors[at] == (best ? best->best_vector[t] : 0xffffffffu));
          REQUIRE(oracle::bits(result.matched_similarities[at]) ==
                  oracle::bits(best ? best->best[t] : lowest));
        }
        if (best) REQUIRE(oracle::bits(result.scores[q * kWanted + i]) == oracle::bits(best->score));
      }
      query_start += query_lengths[q];
    }
  });
}

constexpr Metric kMetrics[] = {Metric::inner_product, Metric::cosine, Metric::squared_l2};

/// The largest searches are made with every metric, or with one where every step costs many times as much.
bool has_largest(Metric metric) { return metric == Metric::inner_product || !test_search::is_slow(); }

}  // namespace

TEST_CASE("a flat search returns the oracle's rows and bits") {
  for (const Metric metric : kMetrics) {
    for (const Kind kind : test_data::kAllKinds) {
      for (const std::size_t dimension : {1u, 7u, 17u, 128u})
        check_flat(metric, kind, dimension, 301, 3, 10, {2}, false);
    }
    for (const std::size_t queries : {1u, 2u, 31u, 33u, 70u})
      check_flat(metric, Kind::few_values, 24, 997, queries, 7, {3}, true);
    if (has_largest(metric)) check_flat(metric, Kind::uniform, 4, 70000, 2, 33, {1, 2, 3, 8}, false);
    check_flat(metric, Kind::few_values, 5, 64, 2, 64, {2}, false);
    check_flat(metric, Kind::few_values, 5, 64, 2, 64, {2}, true);
  }
}

TEST_CASE("a document search returns the oracle's documents, matches and bits") {
  for (const Metric metric : kMetrics) {
    for (const Kind kind : test_data::kAllKinds) {
      check_documents(metric, kind, 17, 40, 9, 2, false);
      check_documents(metric, kind, 8, 12, 70, 1, true);
    }
    if (has_largest(metric)) check_documents(metric, Kind::uniform, 128, 30, 1030, 3, false);
    check_documents(metric, Kind::few_values, 3, 2000, 5, 8, false);
  }
}

TEST_CASE("probabilities are the softmax over the returned places") {
  SegmentStore store(engine_for(Isa::scalar, 1), {1, Metric::inner_product, Dtype::f32, false, true});
  const std::vector<float> x = {1, 2, 3, 4};
  uint64_t first = 0;
  REQUIRE(store.add({x.data(), 4, nullptr, 4}, 1, CancelFlag(), &first).ok());
  SearchOptions options;
  options.k = 3;
  options.temperature = 0.5;
  Result result(1, 1, 3);
  REQUIRE(test_search::search(store, {1.0f}, nullptr, options, result.hits(false)).ok());
  const double z = 1 + std::exp(-2.0) + std::exp(-4.0);
  CHECK(result.probabilities[0] == doctest::Approx(1 / z));
  CHECK(result.probabilities[2] == doctest::Approx(std::exp(-4.0) / z));
}

TEST_CASE("probabilities stay finite when scores overflow float32") {
  SegmentStore store(engine_for(Isa::scalar, 1), {1, Metric::inner_product, Dtype::f32, false, true});
  const std::vector<float> x = {3e38f, 2e38f, -3e38f};
  uint64_t first = 0;
  REQUIRE(store.add({x.data(), 3, nullptr, 3}, 1, CancelFlag(), &first).ok());
  SearchOptions options;
  options.k = 3;
  Result result(1, 1, 3);
  REQUIRE(test_search::search(store, {1e10f}, nullptr, options, result.hits(false)).ok());
  CHECK(result.rows == std::vector<uint32_t>{0, 1, 2});
  CHECK(result.probabilities == std::vector<float>{0.5f, 0.5f, 0.0f});
}

TEST_CASE("queries that are not finite, empty, or of the wrong length are refused with their place") {
  SegmentStore store(engine_for(Isa::scalar, 1), {2, Metric::cosine, Dtype::f32, true, false});
  const std::vector<float> x = {1, 2, 3, 4};
  const std::vector<uint32_t> lengths = {2};
  uint64_t first = 0;
  REQUIRE(store.add({x.data(), 2, lengths.data(), 1}, 1, CancelFlag(), &first).ok());
  Result result(2, 2, 1);
  const std::vector<uint32_t> one_each = {1, 1};
  const std::vector<uint32_t> with_empty = {2, 0};
  const std::vector<uint32_t> too_many = {2, 1};
  const Status bad =
      test_search::search(store, {1, 2, std::nanf(""), 4}, &one_each, SearchOptions(), result.hits(false));
  CHECK(bad.code == StatusCode::not_finite);
  CHECK(bad.row == 1);
  CHECK(bad.column == 0);
  CHECK(test_search::search(store, x, &with_empty, SearchOptions(), result.hits(false)).code ==
        StatusCode::empty_document);
  CHECK(test_search::search(store, x, &too_many, SearchOptions(), result.hits(false)).code ==
        StatusCode::length_mismatch);
}

TEST_CASE("a cancelled search stops with aborted") {
  for (const bool documents : {false, true}) {
    SegmentStore store(engine_for(Isa::scalar, 2),
                       {8, Metric::inner_product, Dtype::f32, documents, !documents});
    const std::vector<float> x = test_data::vectors(Kind::uniform, 1000, 8, 1);
    const std::vector<uint32_t> lengths(500, 2);
    uint64_t first = 0;
    REQUIRE(store
                .add({x.data(), 1000, documents ? lengths.data() : nullptr, documents ? 500u : 1000u}, 1,
                     CancelFlag(), &first)
                .ok());
    CancelFlag cancel;
    cancel.cancel();
    Result result(1, 1, 1);
    const std::vector<uint32_t> one = {1};
    CHECK(test_search::search(store, std::vector<float>(8, 1.0f), documents ? &one : nullptr, SearchOptions(),
                              result.hits(false), cancel)
              .code == StatusCode::aborted);
  }
}
