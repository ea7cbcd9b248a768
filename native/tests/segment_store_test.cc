#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <thread>
#include <vector>

#include "tests/oracle.h"
#include "tests/search_fixture.h"
#include "tests/test_data.h"

using namespace granule;
using test_data::Kind;
using test_search::engine_for;

namespace {

/// All vectors of a snapshot, one after another.
std::vector<float> stored_vectors(const SegmentStore& store) {
  std::vector<float> out;
  const auto snapshot = store.snapshot();
  for (const granule_segment& segment : snapshot->segments) {
    const uint64_t vectors =
        segment.row_offsets != nullptr ? segment.row_offsets[segment.row_count] : segment.row_count;
    const auto* values = static_cast<const float*>(segment.vectors);
    out.insert(out.end(), values, values + vectors * store.dimension());
  }
  return out;
}

Status add(SegmentStore& store, const std::vector<float>& vectors, uint64_t* first) {
  const uint64_t count = vectors.size() / store.dimension();
  return store.add({vectors.data(), count, nullptr, count}, 2, CancelFlag(), first);
}

}  // namespace

TEST_CASE("rows are kept as given, in order, over many adds and segments") {
  SegmentStore store(engine_for(Isa::scalar, 2), {3, Metric::inner_product, Dtype::f32, false, true});
  std::vector<float> all;
  uint64_t expected_first = 0;
  for (const std::size_t count : {1u, 7u, 5000u, 1u, 60000u, 3u, 20000u}) {
    const std::vector<float> part = test_data::vectors(Kind::uniform, count, 3, count);
    uint64_t first = 99;
    REQUIRE(add(store, part, &first).ok());
    CHECK(first == expected_first);
    expected_first += count;
    all.insert(all.end(), part.begin(), part.end());
  }
  CHECK(store.snapshot()->row_count == expected_first);
  CHECK(store.snapshot()->segments.size() > 2);
  CHECK(stored_vectors(store) == all);
  // Memory is not more than twice the data, beyond the smallest segment.
  // Vectors, codes padded to four dimensions, and three floats per row.
  constexpr std::size_t kRowBytes = 3 * sizeof(float) + 4 + 3 * sizeof(float);
  CHECK(store.snapshot()->bytes < 2 * expected_first * kRowBytes + (1 << 17));
}

TEST_CASE("documents never cross a segment's border and keep their lengths") {
  SegmentStore store(engine_for(Isa::scalar, 1), {2, Metric::squared_l2, Dtype::f32, true, false});
  std::vector<uint32_t> all_lengths;
  test_data::Random random(1);
  for (int round = 0; round < 40; ++round) {
    std::vector<uint32_t> lengths(1 + random.below(50));
    uint64_t vectors = 0;
    for (uint32_t& length : lengths)
      vectors += length = 1 + static_cast<uint32_t>(random.below(round == 20 ? 60000 : 700));
    const std::vector<float> x = test_data::vectors(Kind::uniform, vectors, 2, round);
    uint64_t first = 0;
    REQUIRE(store.add({x.data(), vectors, lengths.data(), lengths.size()}, 1, CancelFlag(), &first).ok());
    CHECK(first == all_lengths.size());
    all_lengths.insert(all_lengths.end(), lengths.begin(), lengths.end());
  }
  const auto snapshot = store.snapshot();
  std::size_t row = 0;
  for (const granule_segment& segment : snapshot->segments) {
    CHECK(segment.first_row == row);
    for (uint64_t i = 0; i < segment.row_count; ++i) {
      REQUIRE(segment.row_offsets[i + 1] - segment.row_offsets[i] == all_lengths[row++]);
    }
    const uint64_t last = segment.row_offsets[segment.row_count];
    for (uint64_t v = 0; v < last; v += 997) {
      const float* x = static_cast<const float*>(segment.vectors) + v * 2;
      REQUIRE(segment.squared_norms[v] == oracle::dot(x, x, 2));
    }
  }
  CHECK(row == all_lengths.size());
}

TEST_CASE("an add that fails adds nothing, and the next one succeeds") {
  SegmentStore store(engine_for(Isa::scalar, 2), {2, Metric::cosine, Dtype::f32, false, true});
  uint64_t first = 0;
  REQUIRE(add(store, {3, 4}, &first).ok());
  std::vector<float> bad = test_data::vectors(Kind::uniform, 100000, 2, 1);
  bad[2 * 70001] = INFINITY;
  bad[2 * 60000 + 1] = -INFINITY;
  const Status status = add(store, bad, &first);
  CHECK(status.code == StatusCode::not_finite);
  CHECK(status.row == 60000);
  CHECK(status.column == 1);
  CHECK(status.message == "row 60000, column 1 is -Infinity");
  CHECK(store.snapshot()->row_count == 1);
  REQUIRE(add(store, {0, 0, 0, 5}, &first).ok());
  CHECK(first == 1);
  CHECK(stored_vectors(store) == std::vector<float>{0.6f, 0.8f, 0, 0, 0, 1});
}

TEST_CASE("bad lengths and a full index are refused") {
  SegmentStore documents(engine_for(Isa::scalar, 1), {1, Metric::inner_product, Dtype::f32, true, false});
  const float x[3] = {1, 2, 3};
  uint64_t first = 0;
  const uint32_t with_empty[2] = {3, 0};
  const Status empty = documents.add({x, 3, with_empty, 2}, 1, CancelFlag(), &first);
  CHECK(empty.code == StatusCode::empty_document);
  CHECK(empty.row == 1);
  const uint32_t short_of[2] = {1, 1};
  CHECK(documents.add({x, 3, short_of, 2}, 1, CancelFlag(), &first).code == StatusCode::length_mismatch);
  SegmentStore flat(engine_for(Isa::scalar, 1), {1, Metric::inner_product, Dtype::f32, false, true});
  REQUIRE(flat.add({x, 3, nullptr, 3}, 1, CancelFlag(), &first).ok());
  // Refused before a vector is read.
  CHECK(
      flat.add({x, SegmentStore::kMaxRows, nullptr, SegmentStore::kMaxRows}, 1, CancelFlag(), &first).code ==
      StatusCode::index_full);
  CancelFlag cancelled;
  cancelled.cancel();
  CHECK(flat.add({x, 3, nullptr, 3}, 1, cancelled, &first).code == StatusCode::aborted);
  CHECK(flat.snapshot()->row_count == 3);
}

TEST_CASE("a search sees one consistent state while rows are added") {
  constexpr std::size_t kDimension = 4;
  auto engine = engine_for(Isa::scalar, 2);
  SegmentStore store(engine, {kDimension, Metric::inner_product, Dtype::f32, false, true});
  uint64_t first = 0;
  REQUIRE(add(store, {1, 0, 0, 0}, &first).ok());
  std::atomic<bool> done{false};
  std::thread writer([&] {
    // Each added row is better than all before it.
    for (int i = 2; i <= 3000; ++i) {
      uint64_t at = 0;
      REQUIRE(add(store, {static_cast<float>(i), 0, 0, 0}, &at).ok());
    }
    done = true;
  });
  uint32_t newest = 0;
  while (!done) {
    test_search::Result result(1, 1, 1);
    REQUIRE(test_search::search(store, {1, 0, 0, 0}, nullptr, SearchOptions(), result.hits(false)).ok());
    CHECK(result.scores[0] == static_cast<float>(result.rows[0] + 1));
    CHECK(result.rows[0] >= newest);
    newest = result.rows[0];
  }
  writer.join();
}
