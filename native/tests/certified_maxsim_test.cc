// Late interaction from codes: the kernels' bounds, and whole searches against the oracle, bit for bit, for
// every instruction set that has them.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "kernels/kernel_table.h"
#include "tests/coded_rows.h"
#include "tests/kernel_tables.h"
#include "tests/oracle.h"
#include "tests/search_fixture.h"
#include "tests/test_data.h"

using namespace granule;
using test_data::Coded;
using test_data::Kind;
using test_data::Random;
using test_search::engine_for;
using test_search::Result;

namespace {

/// Enough for what does not depend on the kernels: every set's are held to the same bits by the first cases.
std::vector<Isa> weakest_and_strongest() {
  std::vector<Isa> isas = test_search::search_isas();
  if (isas.size() > 2) isas = {isas.front(), isas.back()};
  return isas;
}

struct Corpus {
  Metric metric = Metric::inner_product;
  std::size_t dimension = 16;
  std::vector<uint32_t> lengths;
  std::vector<float> vectors;

  std::size_t vector_count() const { return vectors.size() / dimension; }
};

struct Queries {
  std::vector<uint32_t> lengths;
  std::vector<float> vectors;
};

std::size_t sum(const std::vector<uint32_t>& values) {
  std::size_t total = 0;
  for (const uint32_t value : values) total += value;
  return total;
}

Corpus corpus_of(Metric metric, Kind kind, std::size_t dimension, const std::vector<uint32_t>& lengths) {
  return {metric, dimension, lengths, test_data::vectors(kind, sum(lengths), dimension, 1)};
}

Queries queries_of(Kind kind, std::size_t dimension, const std::vector<uint32_t>& lengths) {
  return {lengths, test_data::vectors(kind, sum(lengths), dimension, 2)};
}

/// Documents that gather around few centres, and queries near one of them.
void gather(std::size_t centre_count, float spread, Corpus* corpus, Queries* queries) {
  const std::size_t d = corpus->dimension;
  const std::vector<float> centres = test_data::vectors(Kind::uniform, centre_count, d, 77);
  std::size_t at = 0;
  for (std::size_t document = 0; document < corpus->lengths.size(); ++document) {
    const float* centre = &centres[document % centre_count * d];
    for (std::size_t v = 0; v < corpus->lengths[document]; ++v, ++at) {
      for (std::size_t i = 0; i < d; ++i)
        corpus->vectors[at * d + i] = centre[i] + spread * corpus->vectors[at * d + i];
    }
  }
  for (std::size_t i = 0; i < queries->vectors.size(); ++i)
    queries->vectors[i] = centres[i % d] + spread * queries->vectors[i];
}

/// What is searched, and what the oracle says of every document for every query: the same for every
/// instruction set, number of threads and choice of documents, and slow to find.
struct Trial {
  Trial(Corpus searched, Queries asked) : corpus(std::move(searched)), queries(std::move(asked)) {
    const std::size_t d = corpus.dimension;
    const bool cosine = corpus.metric == Metric::cosine;
    const std::vector<float> x = cosine ? oracle::normalised(corpus.vectors, d) : corpus.vectors;
    const std::vector<float> y = cosine ? oracle::normalised(queries.vectors, d) : queries.vectors;
    const float* query = y.data();
    for (const uint32_t query_vectors : queries.lengths) {
      const float* document = x.data();
      truth.emplace_back();
      for (const uint32_t vectors : corpus.lengths) {
        truth.back().push_back(
            oracle::maxsim(static_cast<int>(corpus.metric), query, query_vectors, document, vectors, d));
        document += vectors * d;
      }
      query += query_vectors * d;
    }
  }

  Corpus corpus;
  Queries queries;
  std::vector<std::vector<oracle::MaxSim>> truth;
};

struct Wanted {
  uint32_t k = 5;
  unsigned threads = 1;
  std::vector<uint8_t> filter;
  std::vector<uint32_t> candidates;
};

/// Adds in two pieces, searches, compares everything with the oracle; the result.
Result check(Isa isa, const Trial& trial, const Wanted& wanted) {
  const Corpus& corpus = trial.corpus;
  const Queries& queries = trial.queries;
  CAPTURE(isa_name(isa));
  CAPTURE(static_cast<int>(corpus.metric));
  CAPTURE(corpus.dimension);
  CAPTURE(wanted.k);
  CAPTURE(wanted.threads);
  const std::size_t d = corpus.dimension;
  const std::size_t documents = corpus.lengths.size();
  SegmentStore store(engine_for(isa, wanted.threads),
                     {static_cast<uint32_t>(d), corpus.metric, Dtype::f32, true, true});
  const std::size_t half = documents / 2;
  const std::size_t half_vectors = sum(std::vector<uint32_t>(
      corpus.lengths.begin(), corpus.lengths.begin() + static_cast<std::ptrdiff_t>(half)));
  uint64_t first = 0;
  REQUIRE(
      store.add({corpus.vectors.data(), half_vectors, corpus.lengths.data(), half}, 2, CancelFlag(), &first)
          .ok());
  REQUIRE(store
              .add({corpus.vectors.data() + half_vectors * d, corpus.vector_count() - half_vectors,
                    corpus.lengths.data() + half, documents - half},
                   2, CancelFlag(), &first)
              .ok());

  SearchOptions options;
  options.k = wanted.k;
  options.threads = wanted.threads;
  if (!wanted.filter.empty()) {
    options.filter = wanted.filter.data();
    options.filter_bytes = wanted.filter.size();
  }
  if (!wanted.candidates.empty()) {
    options.candidates = wanted.candidates.data();
    options.candidate_count = wanted.candidates.size();
  }
  Result result(queries.lengths.size(), sum(queries.lengths), wanted.k);
  REQUIRE(test_search::search(store, queries.vectors, &queries.lengths, options, result.hits(true)).ok());

  std::size_t query_start = 0;
  for (std::size_t q = 0; q < queries.lengths.size(); ++q) {
    const std::size_t vectors = queries.lengths[q];
    std::vector<std::pair<float, uint32_t>> scored;
    const std::vector<oracle::MaxSim>& all = trial.truth[q];
    for (uint32_t document = 0; document < documents; ++document) {
      if (!wanted.filter.empty() && ((wanted.filter[document / 8] >> (document % 8)) & 1) == 0) continue;
      if (!wanted.candidates.empty() &&
          std::find(wanted.candidates.begin(), wanted.candidates.end(), document) == wanted.candidates.end())
        continue;
      scored.emplace_back(all[document].score, document);
    }
    const auto expected = oracle::ranked(scored, wanted.k);
    REQUIRE(result.counts[q] == expected.size());
    for (std::size_t i = 0; i < wanted.k; ++i) {
      const bool used = i < expected.size();
      const float lowest = -std::numeric_limits<float>::infinity();
      REQUIRE(result.rows[q * wanted.k + i] == (used ? expected[i].second : 0xffffffffu));
      REQUIRE(oracle::bits(result.scores[q * wanted.k + i]) ==
              oracle::bits(used ? expected[i].first : lowest));
      bool same_vectors = true;
      bool same_similarities = true;
      for (std::size_t t = 0; t < vectors; ++t) {
        const std::size_t at = wanted.k * query_start + i * vectors + t;
        same_vectors &=
            result.matched_vectors[at] == (used ? all[expected[i].second].best_vector[t] : 0xffffffffu);
        same_similarities &= oracle::bits(result.matched_similarities[at]) ==
                             oracle::bits(used ? all[expected[i].second].best[t] : lowest);
      }
      REQUIRE(same_vectors);
      REQUIRE(same_similarities);
    }
    // The certificate: k documents reach the threshold, and those that do were scored.
    if (expected.size() == wanted.k) {
      CHECK(result.thresholds[q] <= expected.back().first);
      CHECK(result.rows_rescored[q] >= wanted.k);
    }
    CHECK(result.rows_rescored[q] <= scored.size());
    query_start += vectors;
  }
  return result;
}

std::vector<uint32_t> ragged(std::size_t documents, std::size_t longest) {
  Random random(7);
  std::vector<uint32_t> out(documents);
  for (uint32_t& length : out) length = 1 + static_cast<uint32_t>(random.below(longest));
  return out;
}

std::vector<uint8_t> random_filter(std::size_t documents) {
  Random random(3);
  std::vector<uint8_t> out((documents + 7) / 8);
  for (uint8_t& byte : out) byte = static_cast<uint8_t>(random.next());
  return out;
}

constexpr Metric kMetrics[] = {Metric::inner_product, Metric::cosine, Metric::squared_l2};

}  // namespace

TEST_CASE("every instruction set gives the same bounds of similarities and the same maxima of spans") {
  constexpr std::size_t kBlocks = 11;
  constexpr std::size_t kRows = kBlocks * 16;
  const std::vector<std::vector<uint32_t>> divisions = {
      {0, 176}, {3, 4, 5, 21, 37, 54, 104, 154, 175}, {15, 16, 17, 33, 65, 113, 176}, {100, 112}};
  constexpr std::size_t kMostSpans = 8;
  const std::vector<KernelTable> tables = test_kernels::tables();
  for (const std::size_t dimension : {1u, 5u, 64u, 130u}) {
    const Coded coded(test_data::vectors(Kind::uniform, kRows, dimension, 3), dimension);
    const std::vector<float> biases = test_data::vectors(Kind::uniform, kRows, 1, 4);
    const std::size_t padded = CodeLayout::groups(dimension) * 4;
    const std::vector<float> y = test_data::vectors(Kind::uniform, CodeMaxsimQueries::kMost, dimension, 77);
    std::vector<int8_t> query_codes(CodeMaxsimQueries::kMost * padded);
    std::vector<int32_t> starts;
    std::vector<float> scales;
    for (std::size_t q = 0; q < CodeMaxsimQueries::kMost; ++q) {
      const QueryCodes c = quantize_query(&y[q * dimension], dimension, &query_codes[q * padded]);
      starts.push_back(-128 * c.code_sum);
      scales.push_back(c.scale);
    }
    const std::vector<uint8_t> upcoming(5000);
    for (const bool biased : {false, true}) {
      for (std::size_t block_count = 1; block_count <= kBlocks; ++block_count) {
        const CodeBlocks input{coded.codes.data(),
                               coded.scales.data(),
                               coded.residual_norms.data(),
                               coded.code_norms.data(),
                               biased ? biases.data() : nullptr,
                               CodeLayout::groups(dimension)};
        for (std::size_t count = 1; count <= CodeMaxsimQueries::kMost; ++count) {
          for (std::vector<uint32_t> begins : divisions) {
            while (begins.size() > 1 && begins[begins.size() - 2] >= block_count * 16) begins.pop_back();
            begins.back() = std::min<uint32_t>(begins.back(), block_count * 16);
            if (begins.front() >= begins.back()) continue;
            const CodeMaxsimQueries queries{
                count, query_codes.data(), starts.data(), scales.data(), 3.5f, 200.0f, 1e-6f};
            const CodeMaxsimSpans spans{begins.size() - 1, begins.data()};
            constexpr std::size_t kStride = kRows + 16;
            std::vector<float> expected(kStride * 8, 9.0f);
            std::vector<float> expected_maxima(kMostSpans * 11, 9.0f);
            code_maxsim_i8_scalar(input, block_count, queries, spans, expected.data(), kStride,
                                  expected_maxima.data(), 11, nullptr, 0);
            for (const KernelTable& table : tables) {
              CAPTURE(std::string(table.code_maxsim.symbol));
              std::vector<float> uppers(kStride * 8, 9.0f);
              std::vector<float> maxima(kMostSpans * 11, 9.0f);
              table.code_maxsim(input, block_count, queries, spans, uppers.data(), kStride, maxima.data(), 11,
                                upcoming.data(), upcoming.size());
              REQUIRE(uppers == expected);
              REQUIRE(maxima == expected_maxima);
            }
          }
        }
      }
    }
  }
}

TEST_CASE("a document search from codes is the oracle's for every metric and kind of vector") {
  const auto check_all = [](const Trial& trial, const Wanted& wanted) {
    for (const Isa isa : test_search::search_isas()) check(isa, trial, wanted);
  };
  for (const Metric metric : kMetrics) {
    for (const Kind kind : test_data::kAllKinds)
      check_all({corpus_of(metric, kind, 20, ragged(90, 40)), queries_of(kind, 20, {1, 3, 8, 21})},
                {5, 2, {}, {}});
    for (const std::size_t dimension : {1u, 3u, 128u, 129u}) {
      for (const Kind kind : {Kind::uniform, Kind::few_values}) {
        check_all(
            {corpus_of(metric, kind, dimension, ragged(60, 50)), queries_of(kind, dimension, {5, 20, 9})},
            {7, 1, {}, {}});
      }
    }
  }
}

TEST_CASE("documents of every length keep to themselves where they share blocks of codes") {
  for (const uint32_t length : {1u, 15u, 16u, 17u, 50u, 1030u}) {
    const std::vector<uint32_t> lengths(length > 1000 ? 13 : 150, length);
    for (const Metric metric : kMetrics) {
      const Trial trial(corpus_of(metric, Kind::uniform, 32, lengths),
                        queries_of(Kind::uniform, 32, {20, 32}));
      for (const Isa isa : weakest_and_strongest()) check(isa, trial, {4, 2, {}, {}});
    }
  }
}

TEST_CASE("numbers of threads, filters and candidates do not change a document search from codes") {
  const Trial trial(corpus_of(Metric::cosine, Kind::uniform, 24, ragged(400, 60)),
                    queries_of(Kind::uniform, 24, {7, 1, 70, 20, 20, 20, 33}));
  for (const Isa isa : weakest_and_strongest()) {
    for (const unsigned threads : {1u, 2u, 3u, 8u}) {
      // Threads share the work alike on every instruction set; the weakest takes long.
      if (isa == Isa::scalar && threads != 3) continue;
      check(isa, trial, {10, threads, {}, {}});
      check(isa, trial, {10, threads, random_filter(400), {}});
      check(isa, trial, {10, threads, {}, {399, 5, 6, 7, 200, 201, 5, 0}});
      check(isa, trial, {10, threads, random_filter(400), {1, 2, 3, 399, 5, 6, 7, 200, 201}});
    }
    // No place is left empty, and every document has one.
    for (const uint32_t k : {1u, 399u, 400u, 401u}) check(isa, trial, {k, 2, {}, {}});
  }
}

TEST_CASE("equal vectors within a document and equal documents are ties for the first") {
  for (const Metric metric : kMetrics) {
    Corpus corpus = corpus_of(metric, Kind::uniform, 16, std::vector<uint32_t>(120, 34));
    const std::size_t document = 34 * 16;
    // Every document is one of three; within it, every vector is there twice.
    for (std::size_t d = 0; d < 120; ++d) {
      for (std::size_t i = 0; i < document; ++i) {
        corpus.vectors[d * document + i] =
            corpus.vectors[d % 3 * document + (i < document / 2 ? i : i - document / 2)];
      }
    }
    const Trial trial(std::move(corpus), queries_of(Kind::uniform, 16, {6, 20}));
    for (const Isa isa : weakest_and_strongest()) {
      const Result result = check(isa, trial, {50, 2, {}, {}});
      CHECK(result.rows[1] == result.rows[0] + 3);
      CHECK(result.matched_vectors[0] < 17);
    }
  }
}

TEST_CASE("zero vectors and vectors of very different lengths do not mislead the bounds") {
  const auto check_all = [](const Trial& trial) {
    for (const Isa isa : weakest_and_strongest()) check(isa, trial, {6, 2, {}, {}});
  };
  for (const Metric metric : kMetrics) {
    for (const float factor : {0.0f, 1e-30f, 1e-9f, 1e9f, 1e30f}) {
      Corpus corpus = corpus_of(metric, Kind::uniform, 12, ragged(80, 40));
      Queries queries = queries_of(Kind::uniform, 12, {4, 9, 20});
      // Every fifth document vector, and every third of the queries.
      for (std::size_t i = 0; i < corpus.vectors.size(); ++i) {
        if (i / 12 % 5 == 0) corpus.vectors[i] *= factor;
      }
      check_all({corpus, queries});
      for (std::size_t i = 0; i < queries.vectors.size(); ++i) {
        if (i / 12 % 3 == 0) queries.vectors[i] *= factor;
      }
      check_all({corpus, queries});
    }
    check_all({corpus_of(metric, Kind::uniform, 12, ragged(80, 40)), queries_of(Kind::zeros, 12, {3, 20})});
  }
}

TEST_CASE("few documents are scored where documents differ") {
  constexpr std::size_t kDimension = 128;
  Corpus corpus = corpus_of(Metric::cosine, Kind::uniform, kDimension, std::vector<uint32_t>(600, 30));
  Queries queries = queries_of(Kind::uniform, kDimension, {20});
  gather(40, 0.4f, &corpus, &queries);
  const Trial trial(std::move(corpus), std::move(queries));
  for (const Isa isa : weakest_and_strongest()) {
    for (const unsigned threads : {1u, 2u}) {
      const Result result = check(isa, trial, {10, threads, {}, {}});
      // There are 15 documents around the query's centre.
      CHECK(result.rows_rescored[0] < 60);
      CHECK(result.thresholds[0] == result.scores[9]);
    }
  }
}

TEST_CASE("a noisy copy of a document finds it, and few others are scored") {
  constexpr std::size_t kDocuments = 600;
  constexpr std::size_t kVectors = 30;
  constexpr std::size_t kDimension = 128;
  const std::vector<float> x =
      oracle::normalised(test_data::vectors(Kind::uniform, kDocuments * kVectors, kDimension, 1), kDimension);
  std::vector<float> y(x.begin() + 77 * kVectors * kDimension, x.begin() + 78 * kVectors * kDimension);
  Random random(5);
  for (float& value : y) value += 0.03f * random.uniform();
  const std::vector<uint32_t> lengths(kDocuments, kVectors);
  const std::vector<uint32_t> query_lengths = {kVectors};
  for (const Isa isa : weakest_and_strongest()) {
    SegmentStore store(engine_for(isa, 2), {kDimension, Metric::cosine, Dtype::f32, true, true});
    uint64_t first = 0;
    REQUIRE(store.add({x.data(), kDocuments * kVectors, lengths.data(), kDocuments}, 2, CancelFlag(), &first)
                .ok());
    SearchOptions options;
    options.threads = 2;
    Result result(1, kVectors, 1);
    REQUIRE(test_search::search(store, y, &query_lengths, options, result.hits(true)).ok());
    CHECK(result.rows[0] == 77);
    CHECK(result.rows_rescored[0] < 10);
    CHECK(result.thresholds[0] <= result.scores[0]);
    CHECK(result.matched_vectors[5] == 5);
  }
}
