// Bounds from codes hold the reference score, and a search by bounds returns what the oracle returns.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "backends/coded_queries.h"
#include "core/canonical_dot.h"
#include "kernels/kernel_table.h"
#include "tests/coded_rows.h"
#include "tests/oracle.h"
#include "tests/search_fixture.h"
#include "tests/test_data.h"

using namespace granule;
using test_data::Coded;
using test_data::Kind;
using test_data::Random;

namespace {

/// Rows that lie around a few centres, as embeddings of similar things do.
std::vector<float> clustered(std::size_t count, std::size_t dimension, float spread, uint64_t seed) {
  const std::vector<float> centres = test_data::vectors(Kind::uniform, 7, dimension, 99);
  Random random(seed);
  std::vector<float> out(count * dimension);
  for (std::size_t r = 0; r < count; ++r) {
    const std::size_t centre = random.below(7);
    for (std::size_t i = 0; i < dimension; ++i)
      out[r * dimension + i] = centres[centre * dimension + i] + spread * random.uniform();
  }
  return out;
}

/// Checks every interval that every instruction set gives against the oracle; returns how many.
std::size_t check_intervals(const std::vector<float>& rows, const std::vector<float>& y,
                            std::size_t dimension, Metric metric, int planes) {
  const Coded coded(rows, dimension);
  const std::size_t row_count = coded.block_count * 16;
  const std::size_t query_count = y.size() / dimension;
  if (!coded.in_range) return 0;
  std::vector<float> biases(row_count);
  std::vector<float> scores(query_count * row_count);
  for (std::size_t r = 0; r < row_count; ++r) {
    biases[r] = static_cast<float>(-canonical_dot(&rows[r * dimension], &rows[r * dimension], dimension));
    for (std::size_t q = 0; q < query_count; ++q) {
      scores[q * row_count + r] =
          oracle::score(static_cast<int>(metric), &y[q * dimension], &rows[r * dimension], dimension);
    }
  }
  const CodedQueries queries(y.data(), query_count, dimension, metric, planes);
  const std::vector<float> thresholds(query_count, -std::numeric_limits<float>::infinity());
  std::size_t checked = 0;
  for (const Isa isa : available_isas(detect_cpu_features())) {
    CAPTURE(isa_name(isa));
    const KernelTable& table = *kernel_table(isa);
    const auto& scan = planes == 2 ? table.code_scan_two_planes : table.code_scan;
    std::vector<CodeSurvivor> found(query_count * row_count);
    REQUIRE(scan(coded.view(metric == Metric::squared_l2 ? biases.data() : nullptr), coded.block_count,
                 queries.codes_of(0), queries.queries.data(), query_count, thresholds.data(),
                 found.data()) == found.size());
    bool held = true;
    for (const CodeSurvivor& s : found) {
      if (queries.usable[s.query] == 0) continue;
      const float score = scores[s.query * row_count + s.row];
      held = held && s.lower <= score && score <= s.upper;
      ++checked;
    }
    REQUIRE(held);
  }
  return checked;
}

}  // namespace

TEST_CASE("the interval of a row holds its reference score") {
  for (const std::size_t dimension : {1u, 3u, 5u, 128u, 4099u}) {
    CAPTURE(dimension);
    for (const Metric metric : {Metric::inner_product, Metric::squared_l2}) {
      for (const int planes : {1, 2}) {
        CAPTURE(planes);
        std::size_t checked = 0;
        for (const Kind kind : test_data::kAllKinds) {
          CAPTURE(static_cast<int>(kind));
          std::vector<float> rows = test_data::vectors(kind, 48, dimension, dimension);
          std::vector<float> y = test_data::vectors(kind, 3, dimension, 77);
          // The queries themselves among the rows, and a row of zeros.
          std::copy(y.begin(), y.end(), rows.begin() + static_cast<std::ptrdiff_t>(20 * dimension));
          std::fill_n(rows.begin() + static_cast<std::ptrdiff_t>(30 * dimension), dimension, 0.0f);
          checked += check_intervals(rows, y, dimension, metric, planes);
        }
        checked += check_intervals(clustered(48, dimension, 1e-3f, 5), clustered(3, dimension, 1e-3f, 6),
                                   dimension, metric, planes);
        REQUIRE(checked > 1000);
      }
    }
  }
}

TEST_CASE("the second plane of a query leaves hardly anything over") {
  for (const std::size_t dimension : {3u, 128u, 768u}) {
    const std::vector<float> y = test_data::vectors(Kind::uniform, 1, dimension, 5);
    std::vector<int8_t> codes(dimension + 4), fine(dimension + 4);
    const QueryCodes one = quantize_query(y.data(), dimension, codes.data());
    const TwoPlaneCodes two = quantize_query_two_planes(y.data(), dimension, codes.data(), fine.data());
    CHECK(two.residual_norm < one.residual_norm / 100);
    long double left = 0;
    for (std::size_t i = 0; i < dimension; ++i) {
      const long double approximation =
          static_cast<long double>(two.scale) * codes[i] + static_cast<long double>(two.fine_scale) * fine[i];
      left += (y[i] - approximation) * (y[i] - approximation);
    }
    CHECK(std::sqrt(left) <= two.residual_norm);
  }
}

namespace {

constexpr std::size_t kRows = 3003;
constexpr std::size_t kDimension = 40;
constexpr std::size_t kQueries = 65;

/// Bitsets over the rows: all (none), empty, one row, every thousandth, a run, half at random.
std::vector<std::vector<uint8_t>> filters() {
  const auto of = [](const auto& allows) {
    std::vector<uint8_t> out((kRows + 7) / 8, 0);
    for (std::size_t r = 0; r < kRows; ++r) {
      if (allows(r)) out[r / 8] = static_cast<uint8_t>(out[r / 8] | (1u << (r % 8)));
    }
    return out;
  };
  Random random(3);
  return {{},
          of([](std::size_t) { return false; }),
          of([](std::size_t r) { return r == 1234; }),
          of([](std::size_t r) { return r % 1000 == 999; }),
          of([](std::size_t r) { return r >= 100 && r < 517; }),
          of([&](std::size_t) { return random.below(2) == 0; })};
}

}  // namespace

TEST_CASE("a search by bounds returns the oracle's rows for every batch, filter, k and number of threads") {
  const std::vector<std::vector<uint8_t>> all_filters = filters();
  for (const Metric metric : {Metric::inner_product, Metric::squared_l2}) {
    const std::vector<float> x = clustered(kRows, kDimension, 0.3f, 1);
    const std::vector<float> y = clustered(kQueries, kDimension, 0.3f, 2);
    std::vector<std::vector<std::vector<std::pair<float, uint32_t>>>> expected(all_filters.size());
    for (std::size_t f = 0; f < all_filters.size(); ++f) {
      for (std::size_t q = 0; q < kQueries; ++q) {
        std::vector<std::pair<float, uint32_t>> scored;
        for (uint32_t r = 0; r < kRows; ++r) {
          if (f != 0 && ((all_filters[f][r / 8] >> (r % 8)) & 1) == 0) continue;
          scored.emplace_back(
              oracle::score(static_cast<int>(metric), &y[q * kDimension], &x[r * kDimension], kDimension), r);
        }
        expected[f].push_back(oracle::ranked(scored, kRows));
      }
    }
    for (const Isa isa : test_search::search_isas()) {
      CAPTURE(isa_name(isa));
      SegmentStore store(test_search::engine_for(isa, 8), {kDimension, metric, Dtype::f32, false, true});
      uint64_t first = 0;
      // In pieces that are no multiples of 16.
      for (std::size_t at = 0; at < kRows; at += 1001)
        REQUIRE(store.add({&x[at * kDimension], 1001, nullptr, 1001}, 2, CancelFlag(), &first).ok());
      std::size_t turn = 0;
      for (const std::size_t batch : {1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u, 9u, 64u, 65u}) {
        const std::vector<float> queries(y.begin(),
                                         y.begin() + static_cast<std::ptrdiff_t>(batch * kDimension));
        for (std::size_t f = 0; f < all_filters.size(); ++f) {
          for (const std::size_t k : {std::size_t{1}, std::size_t{10}, std::size_t{100}, kRows}) {
            if (k == kRows && batch > 2) continue;
            SearchOptions options;
            options.k = static_cast<uint32_t>(k);
            constexpr unsigned kThreads[] = {1, 2, 3, 8};
            options.threads = kThreads[turn++ % 4];
            options.filter = f != 0 ? all_filters[f].data() : nullptr;
            options.filter_bytes = all_filters[f].size();
            test_search::Result result(batch, batch, k);
            REQUIRE(test_search::search(store, queries, nullptr, options, result.hits(false)).ok());
            bool equal = true;
            for (std::size_t q = 0; q < batch; ++q) {
              const auto& want = expected[f][q];
              equal = equal && result.counts[q] == std::min(k, want.size());
              for (std::size_t i = 0; i < result.counts[q] && equal; ++i) {
                equal = result.rows[q * k + i] == want[i].second &&
                        oracle::bits(result.scores[q * k + i]) == oracle::bits(want[i].first);
              }
            }
            CAPTURE(batch);
            CAPTURE(f);
            CAPTURE(k);
            REQUIRE(equal);
          }
        }
      }
    }
  }
}
