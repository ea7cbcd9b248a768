// The log-sum-exp over all rows of a search and the share of it that the hits hold, bit for bit, against sums
// of integers that the compiler adds.

#include "core/log_sum_exp.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
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

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void check_sums(const Result& result, std::size_t query, std::vector<float> scores, std::size_t k,
                double temperature) {
  if (scores.empty()) {
    REQUIRE(result.log_sum_exps[query] == -kInfinity);
    REQUIRE(result.mass_shares[query] == 0.0);
    return;
  }
  std::sort(scores.begin(), scores.end(), std::greater<float>());
  const float maximum = scores[0];
  const double all = oracle::value_of(oracle::term_sum(scores, maximum, temperature));
  const double finite = static_cast<double>(finite_score(maximum));
  const double expected = finite / temperature + canonical_log(all / 0x1p62);
  REQUIRE(oracle::bits(result.log_sum_exps[query]) == oracle::bits(expected));
  const bool whole = k >= scores.size();
  scores.resize(std::min(k, scores.size()));
  const double top = oracle::value_of(oracle::term_sum(scores, maximum, temperature));
  REQUIRE(oracle::bits(result.mass_shares[query]) == oracle::bits(top / all));
  REQUIRE(result.mass_shares[query] > 0.0);
  REQUIRE(result.mass_shares[query] <= 1.0);
  if (whole) REQUIRE(result.mass_shares[query] == 1.0);
}

struct Case {
  Metric metric = Metric::inner_product;
  Dtype dtype = Dtype::f32;
  Kind kind = Kind::uniform;
  std::size_t dimension = 12;
  std::size_t rows = 300;
  std::size_t queries = 3;
  uint32_t k = 7;
  unsigned threads = 2;
  double temperature = 0.3;
  bool coded = true;
  bool filtered = false;
  bool biased = false;
  bool removed = false;
};

std::vector<float> as_stored(const Case& test, std::vector<float> vectors) {
  if (test.metric == Metric::cosine) vectors = oracle::normalised(vectors, test.dimension);
  if (test.dtype == Dtype::f16)
    std::transform(vectors.begin(), vectors.end(), vectors.begin(), oracle::as_f16);
  if (test.dtype == Dtype::bf16)
    std::transform(vectors.begin(), vectors.end(), vectors.begin(), oracle::as_bf16);
  return vectors;
}

void check_rows(Isa isa, const Case& test) {
  CAPTURE(isa_name(isa));
  CAPTURE(static_cast<int>(test.metric));
  CAPTURE(static_cast<int>(test.kind));
  CAPTURE(test.temperature);
  const std::size_t d = test.dimension;
  const std::vector<float> x = test_data::vectors(test.kind, test.rows, d, 1);
  const std::vector<float> y = test_data::vectors(test.kind, test.queries, d, 2);
  const std::vector<float> biases = test_data::vectors(Kind::uniform, test.rows, 1, 5);
  SegmentStore store(engine_for(isa, test.threads),
                     {static_cast<uint32_t>(d), test.metric, test.dtype, false, test.coded});
  uint64_t first = 0;
  const std::size_t half = test.rows / 2;
  REQUIRE(store
              .add({x.data(), half, nullptr, half, test.biased ? biases.data() : nullptr}, test.threads,
                   CancelFlag(), &first)
              .ok());
  REQUIRE(store
              .add({x.data() + half * d, test.rows - half, nullptr, test.rows - half,
                    test.biased ? biases.data() + half : nullptr},
                   test.threads, CancelFlag(), &first)
              .ok());
  std::vector<uint8_t> allowed((test.rows + 7) / 8, 0xff);
  SearchOptions options;
  options.k = test.k;
  options.threads = test.threads;
  options.temperature = test.temperature;
  if (test.filtered) {
    Random random(3);
    for (uint8_t& byte : allowed) byte = static_cast<uint8_t>(random.next());
    options.filter = allowed.data();
    options.filter_bytes = allowed.size();
  }
  std::vector<uint32_t> gone;
  if (test.removed) {
    for (uint32_t row = 0; row < test.rows; row += 5) gone.push_back(row);
    uint64_t removed = 0;
    REQUIRE(store.remove(gone.data(), gone.size(), &removed).ok());
  }
  Result result(test.queries, test.queries, test.k);
  REQUIRE(test_search::search(store, y, nullptr, options, result.hits(false, true)).ok());

  const std::vector<float> sx = as_stored(test, x);
  const std::vector<float> sy = test.metric == Metric::cosine ? oracle::normalised(y, d) : y;
  for (std::size_t q = 0; q < test.queries; ++q) {
    std::vector<float> scores;
    for (uint32_t r = 0; r < test.rows; ++r) {
      if (test.filtered && ((allowed[r / 8] >> (r % 8)) & 1) == 0) continue;
      if (test.removed && r % 5 == 0) continue;
      const float* const query = &sy[q * d];
      const float* const row = &sx[r * d];
      double score = oracle::dot(query, row, d);
      if (test.metric == Metric::squared_l2)
        score = (2.0 * score - oracle::dot(row, row, d)) - oracle::dot(query, query, d);
      if (test.biased) score += static_cast<double>(biases[r]);
      scores.push_back(static_cast<float>(score));
    }
    check_sums(result, q, scores, test.k, test.temperature);
  }
}

void check_documents(Isa isa, Metric metric, Kind kind, unsigned threads, bool coded, bool with_candidates,
                     uint32_t k, double temperature) {
  CAPTURE(isa_name(isa));
  CAPTURE(static_cast<int>(metric));
  CAPTURE(static_cast<int>(kind));
  constexpr std::size_t d = 9;
  constexpr std::size_t documents = 40;
  Random random(7);
  std::vector<uint32_t> lengths(documents);
  std::size_t vectors = 0;
  for (uint32_t& length : lengths) vectors += length = 1 + static_cast<uint32_t>(random.below(40));
  const std::vector<uint32_t> query_lengths = {1, 5, 17};
  const std::vector<float> x = test_data::vectors(kind, vectors, d, 1);
  const std::vector<float> y = test_data::vectors(kind, 23, d, 2);
  SegmentStore store(engine_for(isa, threads), {d, metric, Dtype::f32, true, coded});
  uint64_t first = 0;
  REQUIRE(store.add({x.data(), vectors, lengths.data(), documents}, threads, CancelFlag(), &first).ok());
  const std::vector<uint32_t> candidates = {39, 0, 3, 3, 0, 17, 20};
  SearchOptions options;
  options.k = k;
  options.threads = threads;
  options.temperature = temperature;
  if (with_candidates) {
    options.candidates = candidates.data();
    options.candidate_count = candidates.size();
  }
  Result result(3, 23, k);
  REQUIRE(test_search::search(store, y, &query_lengths, options, result.hits(false, true)).ok());

  const std::vector<float> sx = metric == Metric::cosine ? oracle::normalised(x, d) : x;
  const std::vector<float> sy = metric == Metric::cosine ? oracle::normalised(y, d) : y;
  std::size_t query_start = 0;
  for (std::size_t q = 0; q < query_lengths.size(); ++q) {
    std::vector<float> scores;
    std::size_t start = 0;
    for (uint32_t i = 0; i < documents; ++i) {
      if (!with_candidates || std::find(candidates.begin(), candidates.end(), i) != candidates.end()) {
        scores.push_back(oracle::maxsim(static_cast<int>(metric), &sy[query_start * d], query_lengths[q],
                                        &sx[start * d], lengths[i], d)
                             .score);
      }
      start += lengths[i];
    }
    check_sums(result, q, scores, k, temperature);
    query_start += query_lengths[q];
  }
}

}  // namespace

TEST_CASE("a flat search's log-sum-exp and share are the oracle's, bit for bit") {
  for (const Isa isa : test_search::search_isas()) {
    for (const Metric metric : {Metric::inner_product, Metric::cosine, Metric::squared_l2}) {
      for (const Kind kind : test_data::kAllKinds) {
        for (const double temperature : {1e-300, 0.05, 2.0, 1e37}) {
          Case test;
          test.metric = metric;
          test.kind = kind;
          test.temperature = temperature;
          check_rows(isa, test);
        }
      }
      for (const Dtype dtype : {Dtype::f16, Dtype::bf16}) {
        Case test;
        test.metric = metric;
        test.dtype = dtype;
        test.biased = true;
        check_rows(isa, test);
      }
      Case test;
      test.metric = metric;
      test.dimension = 33;
      test.queries = 40;
      test.filtered = test.removed = test.biased = true;
      check_rows(isa, test);
      test.coded = false;
      check_rows(isa, test);
      for (const unsigned threads : {1u, 3u, 8u}) {
        Case large;
        large.metric = metric;
        large.dimension = 4;
        large.rows = 33000;
        large.queries = 2;
        large.threads = threads;
        large.k = threads == 3 ? 33000 : 5;
        check_rows(isa, large);
      }
    }
  }
}

TEST_CASE("a document search's log-sum-exp and share are the oracle's, bit for bit") {
  for (const Isa isa : test_search::search_isas()) {
    for (const Metric metric : {Metric::inner_product, Metric::cosine, Metric::squared_l2}) {
      for (const Kind kind : test_data::kAllKinds) {
        check_documents(isa, metric, kind, 2, true, false, 4, 0.7);
        check_documents(isa, metric, kind, 3, false, true, 4, 1e38);
      }
      check_documents(isa, metric, Kind::uniform, 1, true, true, 40, 1.5);
      check_documents(isa, metric, Kind::uniform, 8, true, false, 40, 1e-4);
    }
  }
}

TEST_CASE("where no row is allowed the log-sum-exp is -infinity and the share 0") {
  for (const bool documents : {false, true}) {
    SegmentStore store(engine_for(Isa::scalar, 1), {1, Metric::inner_product, Dtype::f32, documents, true});
    const std::vector<float> x = {1, 2, 3};
    const std::vector<uint32_t> lengths = {1, 1, 1};
    uint64_t first = 0;
    REQUIRE(store.add({x.data(), 3, documents ? lengths.data() : nullptr, 3}, 1, CancelFlag(), &first).ok());
    const std::vector<uint8_t> filter = {0};
    SearchOptions options;
    options.k = 2;
    options.filter = filter.data();
    options.filter_bytes = 1;
    Result result(1, 1, 2);
    const std::vector<uint32_t> one = {1};
    REQUIRE(test_search::search(store, {1.0f}, documents ? &one : nullptr, options, result.hits(false, true))
                .ok());
    CHECK(result.log_sum_exps[0] == -kInfinity);
    CHECK(result.mass_shares[0] == 0.0);
  }
}

TEST_CASE("log-sum-exps of numbers that can be worked out by hand") {
  SegmentStore store(engine_for(Isa::scalar, 1), {1, Metric::inner_product, Dtype::f32, false, true});
  const std::vector<float> x = {0, 0, 0, 0};
  uint64_t first = 0;
  REQUIRE(store.add({x.data(), 4, nullptr, 4}, 1, CancelFlag(), &first).ok());
  SearchOptions options;
  options.k = 3;
  Result result(1, 1, 3);
  REQUIRE(test_search::search(store, {1.0f}, nullptr, options, result.hits(false, true)).ok());
  CHECK(result.log_sum_exps[0] == std::log(4.0));
  CHECK(result.mass_shares[0] == 0.75);
  // One far greater score is the whole sum: exactly s / t.
  const std::vector<float> great = {3.0f};
  REQUIRE(store.add({great.data(), 1, nullptr, 1}, 1, CancelFlag(), &first).ok());
  options.temperature = 0.01;
  REQUIRE(test_search::search(store, {1.0f}, nullptr, options, result.hits(false, true)).ok());
  CHECK(result.log_sum_exps[0] == 3.0 / 0.01);
  CHECK(result.mass_shares[0] == 1.0);
}

TEST_CASE("a search that is cancelled, or whose device fails, while terms are added ends with that") {
  // Searches by the processor, and then sets what the second pass meets.
  struct Interrupted {
    granule_backend cpu;
    CancelFlag cancel;
    bool fails = false;
  };
  for (const bool documents : {false, true}) {
    SegmentStore store(engine_for(Isa::scalar, 2), {8, Metric::inner_product, Dtype::f32, documents, true});
    const std::vector<float> x = test_data::vectors(Kind::uniform, 1000, 8, 1);
    const std::vector<uint32_t> lengths(500, 2);
    uint64_t first = 0;
    REQUIRE(store
                .add({x.data(), 1000, documents ? lengths.data() : nullptr, documents ? 500u : 1000u}, 1,
                     CancelFlag(), &first)
                .ok());
    for (const bool fails : {false, true}) {
      Interrupted interrupted;
      interrupted.cpu = store.engine().backends.find("cpu")->backend;
      interrupted.fails = fails;
      granule_backend backend = interrupted.cpu;
      backend.self = &interrupted;
      backend.search = [](void* self, const granule_search* search, granule_hits* hits, char* message,
                          size_t size) {
        auto* const own = static_cast<Interrupted*>(self);
        const granule_result result = own->cpu.search(own->cpu.self, search, hits, message, size);
        if (!own->fails) own->cancel.cancel();
        return result;
      };
      backend.sum_terms = [](void* self, const granule_term_search* search, granule_term_sum* sums,
                             char* message, size_t size) {
        auto* const own = static_cast<Interrupted*>(self);
        if (own->fails) {
          std::snprintf(message, size, "the device was lost");
          return GRANULE_FAILED;
        }
        return own->cpu.sum_terms(own->cpu.self, search, sums, message, size);
      };
      SearchOptions options;
      options.threads = 2;
      const uint32_t one = 1;
      for (const bool asked : {true, false}) {
        if (!asked && !fails) continue;
        Result result(1, 1, 1);
        const Status status = search_snapshot(store.engine(), backend, *store.snapshot(), store.options(),
                                              x.data(), 1, documents ? &one : nullptr, 1, options,
                                              interrupted.cancel, result.hits(false, asked));
        if (!asked) {
          CHECK(status.ok());
        } else {
          CHECK(status.code == (fails ? StatusCode::internal : StatusCode::aborted));
          CHECK(result.log_sum_exps[0] == 12345.0);
        }
      }
    }
  }
}
