// Stored vectors are given back as they are kept, from memory and from mapped files alike.

#include "index/read_rows.h"

#include <doctest/doctest.h>

#include <cstring>
#include <utility>
#include <vector>

#include "tests/oracle.h"
#include "tests/segment_file_fixture.h"

using namespace test_segments;
using test_search::engine_for;

namespace {

struct Reading {
  Reading(const SegmentStore& store, const std::vector<uint32_t>& rows, const CancelFlag& cancel = {})
      : lengths(rows.size()) {
    const auto snapshot = store.snapshot();
    uint64_t count = 0;
    status = measure_rows(*snapshot, store.options(), rows.data(), rows.size(),
                          store.options().documents ? lengths.data() : nullptr, &count);
    if (!status.ok()) return;
    vectors.assign(count * store.dimension(), 12345.0f);
    status = read_rows(store.engine(), store.options(), *snapshot, rows.data(), rows.size(), 2, cancel,
                       vectors.data());
  }

  Status status;
  std::vector<uint32_t> lengths;
  std::vector<float> vectors;
};

std::vector<float> kept(const StoreOptions& options, const std::vector<float>& given) {
  std::vector<float> out =
      options.metric == Metric::cosine ? oracle::normalised(given, options.dimension) : given;
  for (float& value : out) {
    if (options.dtype == Dtype::f16) value = oracle::as_f16(value);
    if (options.dtype == Dtype::bf16) value = oracle::as_bf16(value);
  }
  return out;
}

/// Lengths of documents, of 1 to 40 vectors.
std::vector<uint32_t> some_lengths(std::size_t documents) {
  test_data::Random random(3);
  std::vector<uint32_t> out(documents);
  for (uint32_t& length : out) length = 1 + static_cast<uint32_t>(random.below(40));
  return out;
}

void check(const StoreOptions& options, Isa isa) {
  constexpr uint32_t kRows = 900;
  const std::shared_ptr<Engine> engine = engine_for(isa, 2);
  const std::vector<uint32_t> lengths =
      options.documents ? some_lengths(kRows) : std::vector<uint32_t>(kRows, 1);
  std::vector<uint64_t> starts{0};
  for (const uint32_t length : lengths) starts.push_back(starts.back() + length);
  // Numbers of all sizes, but none that float16 cannot hold.
  const Kind kind = options.dtype == Dtype::f16 ? Kind::uniform : Kind::mixed_magnitudes;
  const std::vector<float> given = test_data::vectors(kind, starts.back(), options.dimension, 5);
  SegmentStore store(engine, options);
  // In two adds, so that rows begin inside of a segment and behind its end.
  uint64_t first = 0;
  for (const auto& [begin, end] : {std::pair<uint32_t, uint32_t>{0, 13}, {13, kRows}}) {
    REQUIRE(store
                .add({&given[starts[begin] * options.dimension], starts[end] - starts[begin],
                      options.documents ? &lengths[begin] : nullptr, end - begin, nullptr},
                     2, CancelFlag(), &first)
                .ok());
  }
  uint64_t removed = 0;
  const uint32_t gone = 14;
  REQUIRE(store.remove(&gone, 1, &removed).ok());
  const std::vector<float> expected = kept(options, given);

  std::vector<uint32_t> rows{kRows - 1, 0, 14, 14, 12, 13};
  for (uint32_t row = 0; row < kRows; ++row) rows.push_back((row * 7) % kRows);
  const Folder folder;
  std::shared_ptr<SegmentStore> opened;
  REQUIRE(open(engine, options, save(store, folder, 1 << 16), true, &opened).ok());
  for (SegmentStore* from : {&store, opened.get()}) {
    const Reading reading(*from, rows);
    REQUIRE_MESSAGE(reading.status.ok(), reading.status.message);
    std::size_t at = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (options.documents) REQUIRE(reading.lengths[i] == lengths[rows[i]]);
      const std::size_t from_number = starts[rows[i]] * options.dimension;
      const std::size_t numbers = lengths[rows[i]] * options.dimension;
      REQUIRE(std::memcmp(&reading.vectors[at], &expected[from_number], numbers * sizeof(float)) == 0);
      at += numbers;
    }
    REQUIRE(at == reading.vectors.size());
  }
}

}  // namespace

TEST_CASE("rows are read as they are kept, in any order, from memory and from mapped files") {
  for (const Isa isa : test_search::search_isas()) {
    for (const Dtype dtype : {Dtype::f32, Dtype::f16, Dtype::bf16}) {
      for (const Metric metric : {Metric::inner_product, Metric::cosine}) {
        for (const bool documents : {false, true}) check({19, metric, dtype, documents, true}, isa);
      }
    }
  }
}

TEST_CASE("rows that never were, too many numbers, and an abort are refused") {
  SegmentStore store(engine_for(Isa::scalar, 1), {4, Metric::inner_product, Dtype::f32, false, true});
  const std::vector<float> x = test_data::vectors(Kind::uniform, 10, 4, 1);
  uint64_t first = 0;
  REQUIRE(store.add({x.data(), 10, nullptr, 10, nullptr}, 1, CancelFlag(), &first).ok());

  CHECK(Reading(store, {}).status.ok());
  const Reading outside(store, {0, 9, 10});
  CHECK(outside.status.code == StatusCode::row_not_found);
  CHECK(outside.status.row == 10);
  CHECK(outside.status.message == "row 10 is not one of the 10 rows");

  // One vector more than 2^28 numbers hold.
  SegmentStore wide(engine_for(Isa::scalar, 1), {1024, Metric::inner_product, Dtype::f32, false, true});
  const std::vector<float> y = test_data::vectors(Kind::uniform, 4, 1024, 1);
  REQUIRE(wide.add({y.data(), 4, nullptr, 4, nullptr}, 1, CancelFlag(), &first).ok());
  const std::vector<uint32_t> many((1 << 18) + 1, 3);
  const Reading large(wide, many);
  CHECK(large.status.code == StatusCode::out_of_memory);
  CHECK(large.status.message.find("divide the rows") != std::string::npos);

  CancelFlag cancelled;
  cancelled.cancel();
  CHECK(Reading(store, {1}, cancelled).status.code == StatusCode::aborted);
}

TEST_CASE("damage of a mapped file is found when the row is read, and only then") {
  const std::shared_ptr<Engine> engine = engine_for(Isa::scalar, 1);
  Rows rows;
  rows.options = {16, Metric::inner_product, Dtype::f32, false, true};
  rows.adds = {320};
  const auto store = filled(engine, rows);
  const Folder folder;
  const std::vector<SegmentFile> files = save(*store, folder, kSegmentFileBytes);
  std::string altered = bytes_of_file(files[0].path);
  altered[altered.size() - 1] ^= 1;
  write_file(files[0].path, altered);
  std::shared_ptr<SegmentStore> opened;
  REQUIRE(open(engine, rows.options, files, true, &opened).ok());
  CHECK(Reading(*opened, {0, 303}).vectors == Reading(*store, {0, 303}).vectors);
  const Reading damaged(*opened, {0, 304});
  CHECK(damaged.status.code == StatusCode::index_corrupt);
  CHECK(damaged.status.file == files[0].name);
}
