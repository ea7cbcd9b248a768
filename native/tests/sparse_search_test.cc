#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <thread>
#include <vector>

#include "tests/sparse_fixture.h"

using namespace granule;
using namespace test_sparse;
using test_search::engine_for;

namespace {

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

Expected first_of(Expected ranked, std::size_t k) {
  if (ranked.rows.size() > k) {
    ranked.rows.resize(k);
    ranked.scores.resize(k);
  }
  return ranked;
}

/// Compares a store that holds `rows` with the oracle, over queries of several kinds.
void check_searches(const SparseStore& store, const std::vector<Row>& rows, const Shape& shape,
                    const std::vector<bool>& live, test_data::Random& random) {
  std::vector<Row> queries = make_rows(shape, 12, random);
  queries[0].entries.clear();
  queries[1].entries = {{0xffffffffu, 1.0f}, {0xfffffff0u, 2.0f}};
  queries[2].entries = {{shape.huge_terms ? 7u : 0u, 0.0f}};
  queries[3].entries = {{shape.huge_terms ? 7u : 1u, -1.0f}};
  for (Row& row : make_rows({shape.terms, 60, 7, true, shape.huge_terms}, 4, random)) queries.push_back(row);

  std::vector<bool> allowed = live;
  std::vector<uint8_t> filter((rows.size() + 7) / 8, 0);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const bool passes = random.below(3) == 0;
    if (passes) filter[r >> 3] = static_cast<uint8_t>(filter[r >> 3] | 1u << (r & 7));
    allowed[r] = live[r] && passes;
  }
  std::vector<std::optional<Saturation>> saturations{std::nullopt};
  if (store.saturating()) {
    saturations.push_back(Saturation{0.3, 0.09});
    saturations.push_back(Saturation{0, 0});
  }
  for (const auto& saturation : saturations) {
    for (const bool filtered : {false, true}) {
      std::vector<Expected> ranked;
      for (const Row& query : queries)
        ranked.push_back(oracle(rows, query, rows.size(), saturation, filtered ? allowed : live));
      for (const std::size_t k : {std::size_t{1}, std::size_t{5}, rows.size()}) {
        for (const unsigned threads : {1u, 40u}) {
          const Found found = search(store, queries, static_cast<uint32_t>(k), saturation, threads,
                                     filtered ? &filter : nullptr);
          REQUIRE(found.status.ok());
          for (std::size_t q = 0; q < queries.size(); ++q) {
            const Expected expected = first_of(ranked[q], k);
            REQUIRE(found.queries[q].rows == expected.rows);
            REQUIRE(same_bits(found.queries[q].scores, expected.scores));
            const bool full = expected.rows.size() == k;
            REQUIRE(found.thresholds[q] ==
                    (full ? expected.scores.back() : -std::numeric_limits<float>::infinity()));
          }
        }
      }
    }
  }
}

std::vector<uint32_t> sorted_by_difference(const std::vector<bool>& live) {
  std::vector<uint32_t> removed;
  for (std::size_t r = 0; r < live.size(); ++r) {
    if (!live[r]) removed.push_back(static_cast<uint32_t>(r));
  }
  return removed;
}

}  // namespace

TEST_CASE("sparse searches give the oracle's rows and bits, whatever the rows and however they were added") {
  test_data::Random random(7);
  const Shape shapes[] = {{50, 12, 4, false, false},
                          {50, 12, 4, true, false},
                          {60, 30, 1u << 20, false, true},
                          {3, 3, 1, false, false},
                          {2000, 8, 3, true, true}};
  for (const Shape& shape : shapes) {
    for (const bool saturating : {false, true}) {
      if (saturating && shape.negative) continue;
      const std::vector<Row> rows = make_rows(shape, 700, random);
      for (const std::size_t step : {rows.size(), std::size_t{1}, std::size_t{97}}) {
        SparseStore store(engine_for(Isa::scalar, 2), saturating);
        for (std::size_t begin = 0; begin < rows.size(); begin += step) {
          uint64_t first = 99;
          const std::size_t end = std::min(rows.size(), begin + step);
          REQUIRE(add(store,
                      {rows.begin() + static_cast<std::ptrdiff_t>(begin),
                       rows.begin() + static_cast<std::ptrdiff_t>(end)},
                      &first)
                      .ok());
          CHECK(first == begin);
        }
        check_searches(store, rows, shape, std::vector<bool>(rows.size(), true), random);
      }
    }
  }
}

TEST_CASE("removed sparse rows are found no more, and compaction numbers the others anew") {
  test_data::Random random(8);
  const Shape shape{40, 10, 4, false, false};
  const std::vector<Row> rows = make_rows(shape, 900, random);
  SparseStore store(engine_for(Isa::scalar, 2), true);
  uint64_t first = 0;
  for (std::size_t begin = 0; begin < rows.size(); begin += 300) {
    const auto at = rows.begin() + static_cast<std::ptrdiff_t>(begin);
    REQUIRE(add(store, {at, at + 300}, &first).ok());
  }
  std::vector<bool> live(rows.size(), true);
  for (std::size_t r = 0; r < rows.size(); ++r) live[r] = r < 300 ? false : random.below(3) != 0;
  const std::vector<uint32_t> removed = sorted_by_difference(live);
  uint64_t count = 0;
  REQUIRE(store.remove(removed.data(), removed.size(), &count).ok());
  CHECK(count == removed.size());
  check_searches(store, rows, shape, live, random);
  const uint64_t frequency = store.snapshot()->document_frequency(0);

  SparseCompaction compaction;
  REQUIRE(store.compact(2, CancelFlag(), &compaction).ok());
  std::vector<Row> kept;
  double total_length = 0;
  for (const uint32_t row : compaction.former_rows) {
    REQUIRE(live[row]);
    kept.push_back(rows[row]);
    total_length += static_cast<double>(rows[row].length);
  }
  CHECK(kept.size() == rows.size() - removed.size());
  REQUIRE(store.adopt(std::move(compaction)));
  CHECK(store.snapshot()->row_count == kept.size());
  CHECK(store.snapshot()->removed_count == 0);
  CHECK(store.snapshot()->total_length == total_length);
  CHECK(store.snapshot()->document_frequency(0) < frequency);
  check_searches(store, kept, shape, std::vector<bool>(kept.size(), true), random);
  REQUIRE(add(store, {rows[0]}, &first).ok());
  CHECK(first == kept.size());
  kept.push_back(rows[0]);
  check_searches(store, kept, shape, std::vector<bool>(kept.size(), true), random);
}

TEST_CASE("segments that lost most of their rows are merged by a compaction") {
  test_data::Random random(12);
  const Shape shape{40, 10, 4, false, false};
  const std::vector<Row> rows = make_rows(shape, 720, random);
  SparseStore store(engine_for(Isa::scalar, 2), false);
  uint64_t first = 0;
  std::vector<bool> live(rows.size(), true);
  uint64_t removed = 0;
  std::size_t begin = 0;
  for (const std::size_t count : {600u, 40u, 40u, 40u}) {
    const auto at = rows.begin() + static_cast<std::ptrdiff_t>(begin);
    REQUIRE(add(store, {at, at + static_cast<std::ptrdiff_t>(count)}, &first).ok());
    for (std::size_t r = begin; r < begin + (count == 600 ? 560 : 3); ++r) {
      const auto row = static_cast<uint32_t>(r);
      REQUIRE(store.remove(&row, 1, &removed).ok());
      live[r] = false;
    }
    begin += count;
  }
  REQUIRE(store.snapshot()->segments.size() == 4);
  CHECK(store.snapshot()->removed_count == 569);
  check_searches(store, rows, shape, live, random);
  SparseCompaction compaction;
  REQUIRE(store.compact(2, CancelFlag(), &compaction).ok());
  std::vector<Row> kept;
  for (const uint32_t row : compaction.former_rows) kept.push_back(rows[row]);
  REQUIRE(store.adopt(std::move(compaction)));
  CHECK(store.snapshot()->segments.size() == 1);
  check_searches(store, kept, shape, std::vector<bool>(kept.size(), true), random);
}

TEST_CASE("counts and lengths of a sparse store do not depend on how rows were added") {
  test_data::Random random(9);
  std::vector<Row> rows = make_rows({30, 10, 4, false, false}, 500, random);
  for (Row& row : rows) row.length *= 0.1f;  // sums round
  double total_length = 0;
  uint64_t postings = 0;
  std::vector<uint64_t> frequencies(30);
  for (const Row& row : rows) {
    total_length += static_cast<double>(row.length);
    postings += row.entries.size();
    for (const auto& entry : row.entries) ++frequencies[entry.first];
  }
  for (const std::size_t step : {std::size_t{500}, std::size_t{1}, std::size_t{33}}) {
    SparseStore store(engine_for(Isa::scalar, 1), true);
    for (std::size_t begin = 0; begin < rows.size(); begin += step) {
      uint64_t first = 0;
      const auto at = rows.begin() + static_cast<std::ptrdiff_t>(begin);
      REQUIRE(add(store, {at, at + static_cast<std::ptrdiff_t>(std::min(step, rows.size() - begin))}, &first)
                  .ok());
    }
    const auto snapshot = store.snapshot();
    CHECK(snapshot->total_length == total_length);
    CHECK(snapshot->posting_count == postings);
    for (uint32_t term = 0; term < 30; ++term) CHECK(snapshot->document_frequency(term) == frequencies[term]);
    CHECK(snapshot->document_frequency(31) == 0);
    // A few per factor of four.
    CHECK(snapshot->segments.size() <= 16);
  }
}

TEST_CASE("sparse rows that are not as they must be are refused, and nothing is added") {
  SparseStore plain(engine_for(Isa::scalar, 2), false);
  SparseStore saturating(engine_for(Isa::scalar, 2), true);
  uint64_t first = 0;
  const uint32_t lengths[2] = {1, 2};
  const auto refused = [&](SparseStore& store, std::vector<uint32_t> terms, std::vector<float> values,
                           std::vector<float> row_lengths = {1, 1}) {
    const SparseRows rows{lengths, 2, terms.data(), values.data(), terms.size()};
    return store.add(rows, store.saturating() ? row_lengths.data() : nullptr, 1, CancelFlag(), &first);
  };
  CHECK(refused(plain, {1, 2}, {1, 1}).code == StatusCode::length_mismatch);
  for (const uint32_t second : {5u, 4u}) {
    const Status order = refused(plain, {9, 5, second}, {1, 1, 1});
    CHECK(order.code == StatusCode::invalid_argument);
    CHECK(order.row == 1);
    CHECK(order.column == second);
  }
  const Status infinite = refused(plain, {9, 5, 6}, {1, 1, -INFINITY});
  CHECK(infinite.code == StatusCode::not_finite);
  CHECK(infinite.row == 1);
  CHECK(infinite.column == 6);
  CHECK(infinite.message == "row 1, term 6 has the value -Infinity");
  CHECK(refused(plain, {9, 5, 6}, {NAN, 1, 1}).code == StatusCode::not_finite);
  for (const float value : {0.0f, -0.0f, -1.0f})
    CHECK(refused(saturating, {9, 5, 6}, {1, 1, value}).code == StatusCode::invalid_argument);
  CHECK(refused(saturating, {9, 5, 6}, {1, 1, 1}, {1, -1}).code == StatusCode::invalid_argument);
  CHECK(refused(saturating, {9, 5, 6}, {1, 1, 1}, {NAN, 1}).code == StatusCode::not_finite);
  CHECK(plain.snapshot()->row_count == 0);
  CHECK(saturating.snapshot()->row_count == 0);
  CancelFlag cancelled;
  cancelled.cancel();
  CHECK(add(plain, {{{{1, 1.0f}}, 0}}, &first, 1, cancelled).code == StatusCode::aborted);
  REQUIRE(refused(saturating, {9, 5, 6}, {1, 1, 1}).ok());
  CHECK(search(saturating, {{{{6, 1.0f}}, 0}}, 1, std::nullopt, 1, nullptr, cancelled).status.code ==
        StatusCode::aborted);
  CHECK(search(saturating, {{{{6, NAN}}, 0}}, 1, std::nullopt, 1).status.code == StatusCode::not_finite);
  const uint32_t unknown[1] = {2};
  uint64_t removed = 0;
  const Status missing = saturating.remove(unknown, 1, &removed);
  CHECK(missing.code == StatusCode::row_not_found);
  CHECK(missing.row == 2);
}

TEST_CASE("extreme values and lengths keep sparse bounds above scores") {
  // The greatest float32 rounds up to an infinite bound; the least keep nothing of their mantissa.
  constexpr float kMost = std::numeric_limits<float>::max();
  constexpr float kLeast = std::numeric_limits<float>::denorm_min();
  const float values[] = {kMost, std::nextafter(kMost, 0.0f), 1.0f, std::nextafter(1.0f, 2.0f), 1e-30f,
                          kLeast};
  const float lengths[] = {0.0f, -0.0f, kLeast, 1.0f, std::nextafter(1.0f, 2.0f), kMost};
  test_data::Random random(10);
  std::vector<Row> rows(400);
  for (Row& row : rows) {
    for (uint32_t term = 0; term < 4; ++term) {
      if (random.below(2) == 0) row.entries[term] = values[random.below(6)];
    }
    row.length = lengths[random.below(6)];
  }
  SparseStore store(engine_for(Isa::scalar, 1), true);
  uint64_t first = 0;
  REQUIRE(add(store, rows, &first).ok());
  const std::vector<Row> queries{{{{0, 1.0f}}, 0},
                                 {{{0, kMost}, {1, kMost}, {2, 0.0f}}, 0},
                                 {{{1, kLeast}, {3, 1e-20f}}, 0},
                                 {{{0, 1.0f}, {1, -1.0f}, {2, 1.0f}, {3, 0.5f}}, 0}};
  const std::vector<bool> live(rows.size(), true);
  for (const auto& saturation :
       {std::optional<Saturation>{}, std::optional<Saturation>{{0, 0}}, std::optional<Saturation>{{1e-40, 0}},
        std::optional<Saturation>{{1.2, 0.3}}, std::optional<Saturation>{{1e300, 1e300}},
        std::optional<Saturation>{{0, 1e-10}}}) {
    const Found found = search(store, queries, 7, saturation, 1);
    REQUIRE(found.status.ok());
    for (std::size_t q = 0; q < queries.size(); ++q) {
      const Expected expected = oracle(rows, queries[q], 7, saturation, live);
      CHECK(found.queries[q].rows == expected.rows);
      CHECK(same_bits(found.queries[q].scores, expected.scores));
    }
  }
}

TEST_CASE("what bounds of sparse values and lengths leave away is on the safe side") {
  // Beyond the bits of a bound each row is a little better than the one before, or shorter.
  std::vector<Row> better(640);
  std::vector<Row> shorter(640);
  for (std::size_t r = 0; r < better.size(); ++r) {
    better[r].entries[0] = 1.0f + static_cast<float>(r) * 0x1p-20f;
    shorter[r].entries[0] = 1.0f;
    shorter[r].length = 2.0f - static_cast<float>(r) * 0x1p-20f;
  }
  // A length of -0 is one of 0.
  std::vector<Row> zero(65, {{{0, 1.0f}}, 5.0f});
  zero[0].length = 10.0f;
  zero[1].length = -0.0f;
  for (std::size_t r = 2; r < 64; ++r) zero[r].entries.clear();
  const std::pair<const std::vector<Row>&, uint32_t> cases[] = {{better, 639}, {shorter, 639}, {zero, 1}};
  for (const auto& [rows, best] : cases) {
    SparseStore store(engine_for(Isa::scalar, 1), true);
    uint64_t first = 0;
    REQUIRE(add(store, rows, &first).ok());
    const Found found = search(store, {{{{0, 1.0f}}, 0}}, 1, Saturation{0.5, 0.5}, 1);
    REQUIRE(found.status.ok());
    CHECK(found.queries[0].rows == std::vector<uint32_t>{best});
  }
}

TEST_CASE("most blocks of a sparse index are not scored") {
  // One row in a thousand has the rare term; the common one is in every second row.
  test_data::Random random(11);
  std::vector<Row> rows(30000);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    if (random.below(1000) == 0) rows[r].entries[1] = 1.0f;
    if (random.below(2) == 0) rows[r].entries[0] = 1.0f;
  }
  SparseStore store(engine_for(Isa::scalar, 1), false);
  uint64_t first = 0;
  REQUIRE(add(store, rows, &first).ok());
  const Found found = search(store, {{{{0, 0.1f}, {1, 9.0f}}, 0}}, 5, std::nullopt, 1);
  REQUIRE(found.status.ok());
  CHECK(found.rows_scored[0] < 3000);
}

TEST_CASE("a sparse search sees one consistent state while rows are added, merged and removed") {
  SparseStore store(engine_for(Isa::scalar, 2), false);
  uint64_t first = 0;
  REQUIRE(add(store, {{{{0, 1.0f}}, 0}}, &first).ok());
  std::atomic<bool> done{false};
  std::thread writer([&] {
    // Each added row is better than all before it; the one before is removed.
    for (uint32_t i = 2; i <= 1500; ++i) {
      uint64_t at = 0;
      uint64_t removed = 0;
      const uint32_t worse = i - 2;
      REQUIRE(add(store, {{{{0, static_cast<float>(i)}}, 0}}, &at, 1).ok());
      REQUIRE(store.remove(&worse, 1, &removed).ok());
    }
    done = true;
  });
  uint32_t newest = 0;
  while (!done) {
    const Found found = search(store, {{{{0, 1.0f}}, 0}}, 1, std::nullopt, 2);
    REQUIRE(found.status.ok());
    REQUIRE(found.queries[0].rows.size() == 1);
    CHECK(found.queries[0].scores[0] == static_cast<float>(found.queries[0].rows[0] + 1));
    CHECK(found.queries[0].rows[0] >= newest);
    newest = found.queries[0].rows[0];
  }
  writer.join();
}
