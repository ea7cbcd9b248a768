// What an index keeps of its rows, against the oracle: 16-bit dtypes, biases, removed rows, and all of them
// together with metrics, filters, codes and instruction sets.

#include <doctest/doctest.h>

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

struct Case {
  Metric metric = Metric::inner_product;
  Dtype dtype = Dtype::f32;
  Kind kind = Kind::uniform;
  std::size_t dimension = 24;
  std::size_t rows = 700;
  bool coded = true;
  bool biased = false;
  bool removed = false;
  bool filtered = false;
};

std::vector<float> stored(const Case& c, const std::vector<float>& x) {
  std::vector<float> out = c.metric == Metric::cosine ? oracle::normalised(x, c.dimension) : x;
  for (float& value : out) {
    if (c.dtype == Dtype::f16) value = oracle::as_f16(value);
    if (c.dtype == Dtype::bf16) value = oracle::as_bf16(value);
  }
  return out;
}

std::vector<uint32_t> every_third(std::size_t rows) {
  std::vector<uint32_t> out;
  for (uint32_t row = 0; row < rows; row += 3) out.push_back(row);
  return out;
}

/// Compacts; the former numbers of the rows.
std::vector<uint32_t> compacted(SegmentStore& store) {
  Compaction compaction;
  REQUIRE(store.compact(2, CancelFlag(), &compaction).ok());
  std::vector<uint32_t> former = compaction.former_rows;
  REQUIRE(store.adopt(std::move(compaction)));
  return former;
}

void expect_ranked(const Result& result, std::size_t query, std::size_t k,
                   const std::vector<std::pair<float, uint32_t>>& scored) {
  const auto expected = oracle::ranked(scored, k);
  REQUIRE(result.counts[query] == expected.size());
  for (std::size_t i = 0; i < k; ++i) {
    const bool used = i < expected.size();
    REQUIRE(result.rows[query * k + i] == (used ? expected[i].second : 0xffffffffu));
    REQUIRE(oracle::bits(result.scores[query * k + i]) ==
            oracle::bits(used ? expected[i].first : -std::numeric_limits<float>::infinity()));
  }
}

float flat_score(const Case& c, const float* query, const float* row, float bias) {
  const double dot = oracle::dot(query, row, c.dimension);
  const double score = c.metric == Metric::squared_l2 ? (2.0 * dot - oracle::dot(row, row, c.dimension)) -
                                                            oracle::dot(query, query, c.dimension)
                                                      : dot;
  return static_cast<float>(score + static_cast<double>(bias));
}

/// What the search before and after a compaction must find. Rows are numbered by `numbers`.
void expect_flat(const SegmentStore& store, const Case& c, const std::vector<float>& queries,
                 const std::vector<float>& x, const std::vector<float>& biases,
                 const std::vector<uint32_t>& numbers, const std::vector<uint32_t>& rows) {
  const std::size_t count = queries.size() / c.dimension;
  std::vector<uint8_t> filter((store.snapshot()->row_count + 7) / 8);
  Random random(5);
  for (uint8_t& byte : filter) byte = static_cast<uint8_t>(random.next());
  SearchOptions options;
  options.k = 10;
  options.threads = 2;
  if (c.filtered) {
    options.filter = filter.data();
    options.filter_bytes = filter.size();
  }
  Result result(count, count, options.k);
  REQUIRE(test_search::search(store, queries, nullptr, options, result.hits(false)).ok());
  const std::vector<float> y =
      c.metric == Metric::cosine ? oracle::normalised(queries, c.dimension) : queries;
  for (std::size_t q = 0; q < count; ++q) {
    std::vector<std::pair<float, uint32_t>> scored;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const uint32_t number = numbers[i];
      if (c.filtered && ((filter[number / 8] >> (number % 8)) & 1) == 0) continue;
      scored.emplace_back(flat_score(c, &y[q * c.dimension], &x[rows[i] * c.dimension], biases[rows[i]]),
                          number);
    }
    expect_ranked(result, q, options.k, scored);
  }
}

void check_flat(Isa isa, const Case& c) {
  CAPTURE(isa_name(isa));
  CAPTURE(static_cast<int>(c.metric));
  CAPTURE(static_cast<int>(c.dtype));
  CAPTURE(static_cast<int>(c.kind));
  CAPTURE(c.coded);
  CAPTURE(c.biased);
  CAPTURE(c.removed);
  CAPTURE(c.filtered);
  const std::vector<float> x = test_data::vectors(c.kind, c.rows, c.dimension, 1);
  const std::vector<float> y = test_data::vectors(c.kind, 3, c.dimension, 2);
  std::vector<float> biases(c.rows, 0.0f);
  SegmentStore store(engine_for(isa, 2),
                     {static_cast<uint32_t>(c.dimension), c.metric, c.dtype, false, c.coded});
  uint64_t first = 0;
  // The first half never has biases: segments with and without them answer together.
  const std::size_t half = c.rows / 2;
  if (c.biased) {
    Random random(9);
    for (std::size_t r = half; r < c.rows; ++r) biases[r] = random.uniform();
  }
  REQUIRE(store.add({x.data(), half, nullptr, half}, 2, CancelFlag(), &first).ok());
  REQUIRE(store
              .add({x.data() + half * c.dimension, c.rows - half, nullptr, c.rows - half,
                    c.biased ? biases.data() + half : nullptr},
                   2, CancelFlag(), &first)
              .ok());
  const std::vector<uint32_t> gone = c.removed ? every_third(c.rows) : std::vector<uint32_t>();
  uint64_t removed = 0;
  REQUIRE(store.remove(gone.data(), gone.size(), &removed).ok());
  REQUIRE(removed == gone.size());
  std::vector<uint32_t> rows;
  for (uint32_t row = 0; row < c.rows; ++row) {
    if (!c.removed || row % 3 != 0) rows.push_back(row);
  }
  const std::vector<float> kept = stored(c, x);
  expect_flat(store, c, y, kept, biases, rows, rows);

  REQUIRE(compacted(store) == rows);
  std::vector<uint32_t> numbers(rows.size());
  for (uint32_t i = 0; i < numbers.size(); ++i) numbers[i] = i;
  expect_flat(store, c, y, kept, biases, numbers, rows);
}

void check_documents(Isa isa, const Case& c) {
  CAPTURE(isa_name(isa));
  CAPTURE(static_cast<int>(c.metric));
  CAPTURE(static_cast<int>(c.dtype));
  CAPTURE(c.coded);
  CAPTURE(c.biased);
  CAPTURE(c.removed);
  constexpr std::size_t kQueryVectors = 5;
  Random random(11);
  std::vector<uint32_t> lengths(c.rows);
  std::vector<std::size_t> starts;
  std::size_t vectors = 0;
  for (uint32_t& length : lengths) {
    starts.push_back(vectors);
    vectors += length = 1 + static_cast<uint32_t>(random.below(40));
  }
  std::vector<float> biases(c.rows, 0.0f);
  if (c.biased) {
    for (float& bias : biases) bias = random.uniform();
  }
  const std::vector<float> x = test_data::vectors(c.kind, vectors, c.dimension, 1);
  const std::vector<float> queries = test_data::vectors(c.kind, kQueryVectors, c.dimension, 2);
  SegmentStore store(engine_for(isa, 2),
                     {static_cast<uint32_t>(c.dimension), c.metric, c.dtype, true, c.coded});
  uint64_t first = 0;
  REQUIRE(store
              .add({x.data(), vectors, lengths.data(), c.rows, c.biased ? biases.data() : nullptr}, 2,
                   CancelFlag(), &first)
              .ok());
  const std::vector<uint32_t> gone = c.removed ? every_third(c.rows) : std::vector<uint32_t>();
  uint64_t removed = 0;
  REQUIRE(store.remove(gone.data(), gone.size(), &removed).ok());

  const std::vector<float> kept = stored(c, x);
  const std::vector<float> y =
      c.metric == Metric::cosine ? oracle::normalised(queries, c.dimension) : queries;
  for (const bool after : {false, true}) {
    if (after) REQUIRE(compacted(store).size() == c.rows - gone.size());
    std::vector<std::pair<float, uint32_t>> scored;
    uint32_t number = 0;
    for (uint32_t d = 0; d < c.rows; ++d) {
      if (c.removed && d % 3 == 0) continue;
      const oracle::MaxSim match = oracle::maxsim(static_cast<int>(c.metric), y.data(), kQueryVectors,
                                                  &kept[starts[d] * c.dimension], lengths[d], c.dimension);
      double sum = 0;
      for (const float best : match.best) sum += static_cast<double>(best);
      scored.emplace_back(static_cast<float>(sum + static_cast<double>(biases[d])), after ? number : d);
      ++number;
    }
    SearchOptions options;
    options.k = 7;
    options.threads = 2;
    Result result(1, kQueryVectors, options.k);
    const std::vector<uint32_t> one_query = {kQueryVectors};
    REQUIRE(test_search::search(store, queries, &one_query, options, result.hits(true)).ok());
    expect_ranked(result, 0, options.k, scored);
  }
}

}  // namespace

TEST_CASE("dtypes, biases, removed rows, filters and metrics combine, before and after a compaction") {
  for (const Isa isa : test_search::search_isas()) {
    for (const Metric metric : {Metric::inner_product, Metric::cosine, Metric::squared_l2}) {
      for (const Dtype dtype : {Dtype::f32, Dtype::f16, Dtype::bf16}) {
        for (int bits = 0; bits < 16; ++bits) {
          Case c;
          c.metric = metric;
          c.dtype = dtype;
          c.coded = (bits & 1) != 0;
          c.biased = (bits & 2) != 0;
          c.removed = (bits & 4) != 0;
          c.filtered = (bits & 8) != 0;
          check_flat(isa, c);
          if (c.filtered) continue;
          c.rows = 60;
          check_documents(isa, c);
        }
        for (const Kind kind : {Kind::few_values, Kind::all_equal, Kind::zeros, Kind::tiny}) {
          Case c;
          c.metric = metric;
          c.dtype = dtype;
          c.kind = kind;
          c.biased = true;
          c.dimension = 7;
          check_flat(isa, c);
        }
      }
    }
  }
}

TEST_CASE("biases that nearly cancel squared norms, and huge ones, are exact") {
  for (const Isa isa : test_search::search_isas()) {
    for (const float factor : {1.0f, 1.0000001f, 1e30f}) {
      constexpr std::size_t kDimension = 8;
      constexpr std::size_t kRows = 512;
      const std::vector<float> x = test_data::vectors(Kind::uniform, kRows, kDimension, 3);
      std::vector<float> biases;
      for (std::size_t r = 0; r < kRows; ++r)
        biases.push_back(factor *
                         static_cast<float>(oracle::dot(&x[r * kDimension], &x[r * kDimension], kDimension)));
      SegmentStore store(engine_for(isa, 2), {kDimension, Metric::squared_l2, Dtype::f32, false, true});
      uint64_t first = 0;
      REQUIRE(store.add({x.data(), kRows, nullptr, kRows, biases.data()}, 2, CancelFlag(), &first).ok());
      std::vector<uint32_t> rows(kRows);
      for (uint32_t row = 0; row < kRows; ++row) rows[row] = row;
      Case c;
      c.metric = Metric::squared_l2;
      c.dimension = kDimension;
      expect_flat(store, c, test_data::vectors(Kind::uniform, 4, kDimension, 4), x, biases, rows, rows);
    }
  }
}

TEST_CASE("numbers that a dtype cannot hold are refused with their place") {
  SegmentStore store(engine_for(Isa::scalar, 1), {2, Metric::inner_product, Dtype::f16, false, true});
  uint64_t first = 0;
  const std::vector<float> x = {1, 2, 3, 65519.0f, 5, -65520.0f};
  const Status status = store.add({x.data(), 3, nullptr, 3}, 1, CancelFlag(), &first);
  CHECK(status.code == StatusCode::not_finite);
  CHECK(status.row == 2);
  CHECK(status.column == 1);
  CHECK(status.message == "row 2, column 1 is -65520, which float16 cannot hold (at most 65504)");
  CHECK(store.snapshot()->row_count == 0);
  REQUIRE(store.add({x.data(), 2, nullptr, 2}, 1, CancelFlag(), &first).ok());

  SegmentStore wide(engine_for(Isa::scalar, 1), {1, Metric::inner_product, Dtype::bf16, false, true});
  const float most = 3.4e38f;
  CHECK(wide.add({&most, 1, nullptr, 1}, 1, CancelFlag(), &first).code == StatusCode::not_finite);
}

TEST_CASE("biases that are not finite are refused, and nothing is added") {
  SegmentStore store(engine_for(Isa::scalar, 1), {1, Metric::inner_product, Dtype::f32, false, true});
  uint64_t first = 0;
  const std::vector<float> x = {1, 2, 3};
  const std::vector<float> biases = {0, std::nanf(""), 0};
  const Status status = store.add({x.data(), 3, nullptr, 3, biases.data()}, 1, CancelFlag(), &first);
  CHECK(status.code == StatusCode::not_finite);
  CHECK(status.row == 1);
  CHECK(status.message == "the bias of row 1 is NaN");
  CHECK(store.snapshot()->row_count == 0);
}

TEST_CASE("rows that never were cannot be removed; removing twice counts once") {
  SegmentStore store(engine_for(Isa::scalar, 1), {1, Metric::inner_product, Dtype::f32, false, true});
  uint64_t first = 0;
  const std::vector<float> x = {1, 2, 3};
  REQUIRE(store.add({x.data(), 3, nullptr, 3}, 1, CancelFlag(), &first).ok());
  uint64_t removed = 99;
  const std::vector<uint32_t> beyond = {0, 3};
  const Status status = store.remove(beyond.data(), beyond.size(), &removed);
  CHECK(status.code == StatusCode::row_not_found);
  CHECK(status.row == 3);
  CHECK(status.message == "row 3 is not one of the 3 rows");
  CHECK(store.snapshot()->removed_count == 0);
  const std::vector<uint32_t> twice = {1, 1};
  REQUIRE(store.remove(twice.data(), twice.size(), &removed).ok());
  CHECK(removed == 1);
  REQUIRE(store.remove(twice.data(), twice.size(), &removed).ok());
  CHECK(removed == 0);
  CHECK(store.snapshot()->removed_count == 1);

  // Rows that are added afterwards are there.
  const std::vector<float> more(20, 4.0f);
  REQUIRE(store.add({more.data(), 20, nullptr, 20}, 1, CancelFlag(), &first).ok());
  SearchOptions options;
  options.k = 23;
  Result result(1, 1, 23);
  REQUIRE(test_search::search(store, {1.0f}, nullptr, options, result.hits(false)).ok());
  CHECK(result.counts[0] == 22);
  CHECK(result.rows[20] == 2);
  CHECK(result.rows[21] == 0);

  std::vector<uint32_t> all(23);
  for (uint32_t row = 0; row < 23; ++row) all[row] = row;
  REQUIRE(store.remove(all.data(), all.size(), &removed).ok());
  CHECK(compacted(store).empty());
  CHECK(store.snapshot()->row_count == 0);
  REQUIRE(store.add({x.data(), 3, nullptr, 3}, 1, CancelFlag(), &first).ok());
  CHECK(first == 0);
  CHECK(store.snapshot()->row_count == 3);
}

TEST_CASE(
    "a compaction is not adopted when rows came or went meanwhile, and a cancelled one changes nothing") {
  SegmentStore store(engine_for(Isa::scalar, 1), {1, Metric::inner_product, Dtype::f32, false, true});
  uint64_t first = 0;
  const std::vector<float> x = {1, 2, 3};
  REQUIRE(store.add({x.data(), 3, nullptr, 3}, 1, CancelFlag(), &first).ok());
  Compaction compaction;
  REQUIRE(store.compact(1, CancelFlag(), &compaction).ok());
  REQUIRE(store.add({x.data(), 1, nullptr, 1}, 1, CancelFlag(), &first).ok());
  CHECK_FALSE(store.adopt(std::move(compaction)));
  CHECK(store.snapshot()->row_count == 4);
  CancelFlag cancelled;
  cancelled.cancel();
  Compaction none;
  CHECK(store.compact(1, cancelled, &none).code == StatusCode::aborted);
}
