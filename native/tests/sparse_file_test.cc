#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "index/sparse/sparse_segment_file.h"
#include "kernels/checksum/checksum.h"
#include "tests/segment_file_fixture.h"
#include "tests/sparse_fixture.h"

using namespace granule;
using namespace test_sparse;
using test_search::engine_for;
using test_segments::bytes_of_file;
using test_segments::Folder;
using test_segments::write_file;

namespace {

/// A segment file and its parts.
struct Saved {
  Saved(const std::shared_ptr<Engine>& engine, bool is_saturating, const std::vector<Row>& rows,
        const std::string& path)
      : saturating(is_saturating) {
    SparseStore store(engine, saturating);
    uint64_t first = 0;
    REQUIRE(add(store, rows, &first).ok());
    WrittenSegment written;
    REQUIRE(write_sparse_segment(*engine, *store.snapshot(), saturating, 0, path, 2, CancelFlag(), &written)
                .ok());
    const auto segment = store.snapshot()->segments[0].segment;
    file = {path, "name", written.header.size(), rows.size(), segment->terms.size(), segment->posting_count(),
            {}};
    bytes = bytes_of_file(path);
    REQUIRE(bytes.size() == written.bytes);
    sum();
  }

  uint64_t size_of(std::size_t tensor) const {
    const uint64_t sizes[] = {8 * (file.term_count + 1), 4 * file.term_count, 4 * file.posting_count,
                              4 * file.posting_count, saturating ? 4 * file.row_count : 0};
    return sizes[tensor];
  }

  char* tensor(std::size_t which) {
    uint64_t at = file.header_bytes;
    for (std::size_t t = 0; t < which; ++t) at += size_of(t);
    return bytes.data() + at;
  }

  /// Makes the checksums those of the bytes, whatever they are.
  void sum() {
    file.checksums.clear();
    for (std::size_t t = 0; t < (saturating ? 5u : 4u); ++t)
      file.checksums.push_back(crc32c_scalar(0, tensor(t), size_of(t)));
  }

  template <typename T>
  void set(std::size_t which, std::size_t item, T value) {
    std::memcpy(tensor(which) + item * sizeof(T), &value, sizeof value);
  }

  Status open(Engine& engine, std::shared_ptr<const SparseSegment>* segment) {
    write_file(file.path, bytes);
    std::vector<std::shared_ptr<const SparseSegment>> segments;
    Status status = open_sparse_segments(engine, saturating, {file}, 2, CancelFlag(), &segments);
    if (status.ok()) *segment = segments.at(0);
    return status;
  }

  bool saturating;
  SparseSegmentFile file;
  std::string bytes;
};

enum { kOffsets, kTerms, kRows, kValues, kLengths };

}  // namespace

TEST_CASE("a sparse segment file that was altered and summed anew is refused, or is a sound segment") {
  const Folder folder;
  auto engine = engine_for(Isa::scalar, 2);
  test_data::Random random(3);
  const std::vector<Row> rows = make_rows({20, 8, 4, false, true}, 150, random);
  const std::vector<Row> queries = make_rows({20, 20, 4, false, true}, 5, random);
  const Saved sound(engine, true, rows, folder.file("segment"));
  int refused = 0;
  for (int round = 0; round < 1000; ++round) {
    Saved damaged = sound;
    const std::size_t data = damaged.bytes.size() - damaged.file.header_bytes;
    for (uint64_t i = 1 + random.below(3); i > 0; --i) {
      char& byte = damaged.bytes[damaged.file.header_bytes + random.below(data)];
      byte = static_cast<char>(byte ^ (1 << random.below(8)));
    }
    damaged.sum();
    std::shared_ptr<const SparseSegment> segment;
    const Status status = damaged.open(*engine, &segment);
    if (!status.ok()) {
      ++refused;
      REQUIRE(status.code == StatusCode::index_corrupt);
      REQUIRE(status.file == "name");
      continue;
    }
    SparseStore store(engine, true);
    REQUIRE(store.adopt_files({segment}, nullptr, 1, CancelFlag()).ok());
    REQUIRE(search(store, queries, 10, Saturation{0.5, 0.1}, 1).status.ok());
    SparseCompaction compaction;
    REQUIRE(store.compact(1, CancelFlag(), &compaction).ok());
  }
  CHECK(refused > 100);
  CHECK(refused < 1000);
}

TEST_CASE("what a sparse segment file must not hold is refused by name") {
  const Folder folder;
  auto engine = engine_for(Isa::scalar, 2);
  const std::vector<Row> rows{{{{5, 1.0f}, {9, 2.0f}}, 3}, {{{5, 1.0f}}, 2}, {{{5, 0.5f}, {9, 1.0f}}, 1}};
  const Saved sound(engine, true, rows, folder.file("segment"));
  const auto refusal = [&](auto alter, bool summed = true) {
    Saved damaged = sound;
    alter(damaged);
    if (summed) damaged.sum();
    std::shared_ptr<const SparseSegment> segment;
    const Status status = damaged.open(*engine, &segment);
    CHECK(status.code == StatusCode::index_corrupt);
    CHECK(status.file == "name");
    return status.message;
  };
  CHECK(refusal([](Saved& f) { f.set<uint64_t>(kOffsets, 0, 1); }) ==
        "name is damaged: its terms do not hold its postings");
  CHECK(refusal([](Saved& f) { f.set<uint64_t>(kOffsets, 2, 6); }) ==
        "name is damaged: its terms do not hold its postings");
  for (const uint64_t offset : {uint64_t{0}, uint64_t{5}, ~uint64_t{0}}) {
    CHECK(refusal([&](Saved& f) { f.set(kOffsets, 1, offset); }) ==
          "name is damaged: its terms do not ascend, or have no postings");
  }
  for (const uint32_t term : {9u, 10u}) {
    CHECK(refusal([&](Saved& f) { f.set(kTerms, 0, term); }) ==
          "name is damaged: its terms do not ascend, or have no postings");
  }
  for (const uint32_t row : {0u, 3u, 0xffffffffu}) {
    CHECK(refusal([&](Saved& f) { f.set(kRows, row == 0 ? 1 : 2, row); }) ==
          "name is damaged: the rows of a term do not ascend, or are not its rows");
  }
  for (const float value : {NAN, INFINITY, 0.0f, -1.0f}) {
    CHECK(refusal([&](Saved& f) { f.set(kValues, 4, value); }) ==
          "name is damaged: it holds a value that none can be");
  }
  for (const float length : {NAN, INFINITY, -0.0f, -1.0f}) {
    CHECK(refusal([&](Saved& f) { f.set(kLengths, 2, length); }) ==
          "name is damaged: it holds a length that is none");
  }
  const char* names[] = {"offsets", "terms", "rows", "values", "lengths"};
  for (std::size_t t = 0; t < 5; ++t) {
    CHECK(refusal([&](Saved& f) { f.file.checksums[t] ^= 1; }, false) ==
          std::string("name is damaged: ") + names[t] + " do not match their checksum");
  }
  CHECK(refusal([](Saved& f) { f.bytes.pop_back(); }, false).find("bytes long, not") != std::string::npos);
  // Numbers that the size of a file bears out, and that no segment holds.
  const uint64_t many = SparseSegment::kMaxRows + 1;
  SparseSegmentFile vast{folder.file("vast"), "name", 0, many, 0, 0, {0, 0, 0, 0}};
  write_file(vast.path, std::string(8, '\0'));
  std::vector<std::shared_ptr<const SparseSegment>> segments;
  CHECK(open_sparse_segments(*engine, false, {vast}, 1, CancelFlag(), &segments).message ==
        "name has more rows than a segment holds");
}

TEST_CASE("rows of a merged sparse segment are written from any row on") {
  const Folder folder;
  auto engine = engine_for(Isa::scalar, 2);
  test_data::Random random(4);
  const std::vector<Row> rows = make_rows({30, 9, 4, false, false}, 260, random);
  SparseStore store(engine, true);
  uint64_t first = 0;
  REQUIRE(add(store, rows, &first).ok());
  for (const uint64_t begin : {0u, 1u, 64u, 259u}) {
    WrittenSegment written;
    const std::string path = folder.file("part");
    REQUIRE(
        write_sparse_segment(*engine, *store.snapshot(), true, begin, path, 2, CancelFlag(), &written).ok());
    CHECK(written.row_count == rows.size() - begin);
    const std::vector<Row> part(rows.begin() + static_cast<std::ptrdiff_t>(begin), rows.end());
    const Saved expected(engine, true, part, folder.file("expected"));
    CHECK(bytes_of_file(path) == expected.bytes);
  }
  CancelFlag cancelled;
  cancelled.cancel();
  WrittenSegment written;
  for (const uint64_t begin : {0u, 5u}) {
    CHECK(write_sparse_segment(*engine, *store.snapshot(), true, begin, folder.file("none"), 2, cancelled,
                               &written)
              .code == StatusCode::aborted);
  }
}
