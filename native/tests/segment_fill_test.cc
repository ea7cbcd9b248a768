// Filling segments: adds that go past the caches, and memory that is reserved for them.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "core/code_layout.h"
#include "tests/search_fixture.h"
#include "tests/test_data.h"

using namespace granule;
using test_data::Kind;
using test_search::engine_for;

namespace {

uint64_t add(SegmentStore& store, const float* vectors, uint64_t count, const float* biases = nullptr) {
  uint64_t first = 0;
  REQUIRE(store.add({vectors, count, nullptr, count, biases}, 2, CancelFlag(), &first).ok());
  return first;
}

/// All that a store holds of a row, its code included where its block has codes.
std::string row_bytes(const SegmentStore& store, const Snapshot& snapshot, uint64_t row) {
  const StoreOptions& options = store.options();
  for (const granule_segment& segment : snapshot.segments) {
    const uint64_t i = row - segment.first_row;
    if (row < segment.first_row || i >= segment.row_count) continue;
    std::string out(static_cast<const char*>(segment.vectors) + i * options.vector_bytes(),
                    options.vector_bytes());
    if (i >= segment.coded_vector_count) return out;
    const std::size_t block = i / CodeLayout::kBlockRows * CodeLayout::block_bytes(options.dimension);
    for (std::size_t group = 0; group < CodeLayout::groups(options.dimension); ++group) {
      const std::size_t at = (group * CodeLayout::kBlockRows + i % CodeLayout::kBlockRows) * 4;
      out.append(reinterpret_cast<const char*>(segment.codes) + block + at, 4);
    }
    for (const float* array : {segment.scales, segment.residual_norms, segment.code_norms})
      out.append(reinterpret_cast<const char*>(array + i), sizeof(float));
    return out;
  }
  return {};
}

}  // namespace

TEST_CASE("an add too large for the caches keeps what many small ones keep") {
  // Just above 16 MiB of what is kept, after a row that moves all blocks.
  const Metric metrics[] = {Metric::inner_product, Metric::cosine, Metric::squared_l2};
  for (const Isa isa : test_search::search_isas()) {
    CAPTURE(isa_name(isa));
    for (const Dtype dtype : {Dtype::f32, Dtype::f16}) {
      for (const std::size_t dimension : {512u, 331u}) {
        const Metric metric = metrics[(dimension + static_cast<std::size_t>(dtype)) % 3];
        const StoreOptions options{static_cast<uint32_t>(dimension), metric, dtype, false, true};
        const std::size_t count = (std::size_t{17} << 20) / options.vector_bytes();
        const std::vector<float> rows = test_data::vectors(Kind::uniform, count, dimension, 5);
        SegmentStore large(engine_for(isa, 2), options);
        add(large, rows.data(), 1);
        add(large, rows.data() + dimension, count - 1);
        SegmentStore small(engine_for(Isa::scalar, 2), options);
        for (std::size_t row = 0; row < count; row += 1000)
          add(small, rows.data() + row * dimension, std::min<std::size_t>(1000, count - row));
        REQUIRE(large.snapshot()->row_count == count);
        std::size_t coded = 0;
        for (std::size_t row = 0; row < count; row += 7) {
          const std::string a = row_bytes(large, *large.snapshot(), row);
          const std::string b = row_bytes(small, *small.snapshot(), row);
          // The last blocks of segments, which lie elsewhere, may have no codes yet.
          const std::size_t common = std::min(a.size(), b.size());
          REQUIRE(a.compare(0, common, b, 0, common) == 0);
          REQUIRE(common >= options.vector_bytes());
          if (common > options.vector_bytes()) ++coded;
        }
        CHECK(coded > count / 7 - 20);
      }
      if (test_search::is_slow()) return;
    }
  }
}

TEST_CASE("reserved memory is counted, used by adds, and dropped by a compaction") {
  const StoreOptions options{8, Metric::squared_l2, Dtype::f32, false, true};
  SegmentStore store(engine_for(Isa::scalar, 2), options);
  const std::vector<float> rows = test_data::vectors(Kind::uniform, 3000, 8, 1);
  const std::vector<float> biases = test_data::vectors(Kind::uniform, 3000, 1, 2);
  add(store, rows.data(), 100);
  CHECK(store.reserved_bytes() == 0);
  REQUIRE(store.reserve(2000, 2, CancelFlag()).ok());
  const std::size_t reserved = store.reserved_bytes();
  CHECK(reserved >= 2000 * (8 * 4 + 8 + 8));
  // What is reserved counts.
  REQUIRE(store.reserve(1500, 2, CancelFlag()).ok());
  CHECK(store.reserved_bytes() == reserved);

  // Bad rows take none of it.
  std::vector<float> bad = rows;
  bad[8 * 2999] = NAN;
  uint64_t first = 0;
  CHECK(store.add({bad.data(), 3000, nullptr, 3000}, 2, CancelFlag(), &first).code == StatusCode::not_finite);
  CHECK(store.reserved_bytes() == reserved);
  CHECK(store.snapshot()->row_count == 100);

  // More rows than there is room for, with biases, which the reserved segments had no room for.
  CHECK(add(store, rows.data(), 3000, biases.data()) == 100);
  CHECK(store.reserved_bytes() == 0);
  const auto snapshot = store.snapshot();
  CHECK(snapshot->row_count == 3100);
  for (uint64_t row = 0; row < 3000; ++row) {
    const std::string kept = row_bytes(store, *snapshot, 100 + row);
    REQUIRE(std::memcmp(kept.data(), rows.data() + row * 8, 8 * sizeof(float)) == 0);
  }
  SegmentStore unreserved(engine_for(Isa::scalar, 2), options);
  add(unreserved, rows.data(), 100);
  add(unreserved, rows.data(), 3000, biases.data());
  const std::vector<float> queries(rows.begin(), rows.begin() + 5 * 8);
  test_search::Result with(5, 5, 20), without(5, 5, 20);
  SearchOptions search;
  search.k = 20;
  search.threads = 2;
  REQUIRE(test_search::search(store, queries, nullptr, search, with.hits(false)).ok());
  REQUIRE(test_search::search(unreserved, queries, nullptr, search, without.hits(false)).ok());
  CHECK(with.rows == without.rows);
  CHECK(with.scores == without.scores);

  REQUIRE(store.reserve(5000, 1, CancelFlag()).ok());
  CHECK(store.reserved_bytes() > 0);
  Compaction compaction;
  REQUIRE(store.compact(2, CancelFlag(), &compaction).ok());
  REQUIRE(store.adopt(std::move(compaction)));
  CHECK(store.reserved_bytes() == 0);
  CHECK(store.snapshot()->row_count == 3100);
}

TEST_CASE("documents use reserved memory that has room for them, and a cancelled reservation keeps nothing") {
  SegmentStore store(engine_for(Isa::scalar, 1), {4, Metric::inner_product, Dtype::f32, true, true});
  REQUIRE(store.reserve(100, 1, CancelFlag()).ok());
  const std::size_t reserved = store.reserved_bytes();
  const std::vector<float> vectors = test_data::vectors(Kind::uniform, 5100, 4, 1);
  uint64_t first = 0;
  // Longer than what is reserved, and than what is left of its segment then.
  const uint32_t long_document[] = {5000};
  REQUIRE(store.add({vectors.data(), 5000, long_document, 1}, 1, CancelFlag(), &first).ok());
  CHECK(store.reserved_bytes() == reserved);
  const uint32_t short_ones[] = {40, 40};
  REQUIRE(store.add({vectors.data() + 20000, 80, short_ones, 2}, 1, CancelFlag(), &first).ok());
  CHECK(first == 1);
  CHECK(store.reserved_bytes() == 0);
  const auto snapshot = store.snapshot();
  REQUIRE(snapshot->vector_count == 5080);
  const granule_segment& last = snapshot->segments.back();
  CHECK(std::memcmp(last.vectors, vectors.data() + 20000, 320 * sizeof(float)) == 0);

  CancelFlag cancelled;
  cancelled.cancel();
  CHECK(store.reserve(1000, 1, cancelled).code == StatusCode::aborted);
  CHECK(store.reserved_bytes() == 0);
}
