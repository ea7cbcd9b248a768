#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/file.h"
#include "tests/segment_file_fixture.h"

using namespace test_segments;
using test_search::engine_for;

TEST_CASE("an opened index answers with the same bits, read and mapped") {
  // What a file holds does not depend on the instruction set: two of them do, or one where threads are
  // watched.
  std::vector<Isa> isas{Isa::scalar, available_isas(detect_cpu_features()).back()};
  if (test_search::is_slow()) isas.pop_back();
  for (const Isa isa : isas) {
    const std::shared_ptr<Engine> engine = engine_for(isa, 2);
    for (const Metric metric : {Metric::inner_product, Metric::cosine, Metric::squared_l2}) {
      for (const Dtype dtype : {Dtype::f32, Dtype::f16, Dtype::bf16}) {
        for (const bool documents : {false, true}) {
          for (const bool coded : {true, false}) {
            for (const bool biased : {false, true}) {
              Rows rows;
              rows.options = {7, metric, dtype, documents, coded};
              rows.biased = biased;
              rows.adds = {3, 40, 1, 500};
              const auto store = filled(engine, rows);
              const Answers before(*store, 10);
              REQUIRE(before.status.ok());
              // One file, and files so small that rows change their place within a block.
              for (const uint64_t most_bytes : {kSegmentFileBytes, uint64_t{3000}}) {
                const Folder folder;
                const std::vector<SegmentFile> files = save(*store, folder, most_bytes);
                CHECK((files.size() == 1) == (most_bytes == kSegmentFileBytes));
                for (const bool mapped : {false, true}) {
                  std::shared_ptr<SegmentStore> opened;
                  const Status status = open(engine, rows.options, files, mapped, &opened);
                  REQUIRE_MESSAGE(status.ok(), status.message);
                  const Answers after(*opened, 10);
                  REQUIRE_MESSAGE(after.status.ok(), after.status.message);
                  CHECK(after == before);
                }
              }
            }
          }
        }
      }
    }
  }
}

TEST_CASE("an opened index is added to, compacted and saved again like any other") {
  const std::shared_ptr<Engine> engine = engine_for(available_isas(detect_cpu_features()).back(), 2);
  for (const bool documents : {false, true}) {
    for (const bool mapped : {false, true}) {
      Rows rows;
      rows.options = {5, Metric::squared_l2, Dtype::bf16, documents, true};
      rows.biased = true;
      rows.adds = {333};
      const auto store = filled(engine, rows);
      const Folder folder;
      std::shared_ptr<SegmentStore> opened;
      REQUIRE(open(engine, rows.options, save(*store, folder, 1000), mapped, &opened).ok());
      // The same rows go to both.
      for (SegmentStore* target : {store.get(), opened.get()}) {
        const std::vector<float> x = test_data::vectors(Kind::uniform, 50, 5, 4);
        const std::vector<uint32_t> lengths(10, 5);
        uint64_t first = 0;
        REQUIRE(target
                    ->add({x.data(), 50, documents ? lengths.data() : nullptr, documents ? 10u : 50u}, 2,
                          CancelFlag(), &first)
                    .ok());
        CHECK(first == 333);
        std::vector<uint32_t> removed;
        for (uint32_t row = 0; row < 343; row += 3) removed.push_back(row);
        uint64_t count = 0;
        REQUIRE(target->remove(removed.data(), removed.size(), &count).ok());
      }
      CHECK(Answers(*opened, 9) == Answers(*store, 9));

      const Folder second;
      std::shared_ptr<SegmentStore> again;
      const std::vector<SegmentFile> files = save(*opened, second, kSegmentFileBytes);
      CHECK(files.size() == 1);
      std::vector<std::shared_ptr<Segment>> segments;
      REQUIRE(open_segments(engine, rows.options, files, mapped, 2, CancelFlag(), &segments).ok());
      again = std::make_shared<SegmentStore>(engine, rows.options);
      std::vector<uint8_t> removed((store->snapshot()->row_count + 7) / 8);
      for (uint32_t row = 0; row < 343; row += 3) removed[row >> 3] |= static_cast<uint8_t>(1u << (row & 7));
      REQUIRE(again->adopt_files(segments, removed.data()).ok());
      CHECK(again->snapshot()->removed_count == store->snapshot()->removed_count);
      CHECK(Answers(*again, 9) == Answers(*store, 9));

      for (SegmentStore* target : {store.get(), opened.get()}) {
        Compaction compaction;
        REQUIRE(target->compact(2, CancelFlag(), &compaction).ok());
        REQUIRE(target->adopt(std::move(compaction)));
      }
      CHECK(Answers(*opened, 9) == Answers(*store, 9));
    }
  }
}

TEST_CASE("rows that codes cannot bound are saved without codes, and cost their neighbours' files none") {
  const std::shared_ptr<Engine> engine = engine_for(Isa::scalar, 1);
  Rows rows;
  rows.options = {1024, Metric::inner_product, Dtype::f32, false, true};
  rows.adds = {32};
  const auto store = filled(engine, rows);
  uint64_t first = 0;
  const std::vector<float> huge = test_data::vectors(Kind::huge, 32, 1024, 5);
  REQUIRE(store->add({huge.data(), 32, nullptr, 32}, 1, CancelFlag(), &first).ok());
  const std::vector<float> x = test_data::vectors(Kind::uniform, 128, 1024, 6);
  REQUIRE(store->add({x.data(), 128, nullptr, 128}, 1, CancelFlag(), &first).ok());
  const Answers before(*store, 2);
  const Folder folder;
  const std::vector<SegmentFile> files = save(*store, folder, kSegmentFileBytes);
  REQUIRE(files.size() == 3);
  CHECK(files[0].contents.coded);
  CHECK(!files[1].contents.coded);
  CHECK(files[2].contents.coded);
  std::shared_ptr<SegmentStore> opened;
  REQUIRE(open(engine, rows.options, files, false, &opened).ok());
  CHECK(Answers(*opened, 2) == before);

  // A row that had no codes so far, for its block was not full, and cannot have any in the file.
  rows.adds = {20};
  const auto short_of_a_block = filled(engine, rows);
  REQUIRE(short_of_a_block->add({huge.data(), 1, nullptr, 1}, 1, CancelFlag(), &first).ok());
  CHECK(save(*short_of_a_block, folder, kSegmentFileBytes)[0].contents.coded);
  const std::vector<float> more = test_data::vectors(Kind::uniform, 40, 1024, 6);
  REQUIRE(short_of_a_block->add({more.data(), 40, nullptr, 40}, 1, CancelFlag(), &first).ok());
  const std::vector<SegmentFile> mixed = save(*short_of_a_block, folder, kSegmentFileBytes);
  CHECK(!mixed[0].contents.coded);
  REQUIRE(open(engine, rows.options, mixed, true, &opened).ok());
  CHECK(Answers(*opened, 2) == Answers(*short_of_a_block, 2));
}

TEST_CASE("a save that is cancelled or cannot write says so, and so does an opening") {
  const std::shared_ptr<Engine> engine = engine_for(Isa::scalar, 1);
  Rows rows;
  rows.options = {4, Metric::inner_product, Dtype::f32, false, true};
  rows.adds = {100};
  const auto store = filled(engine, rows);
  const Folder folder;
  const std::vector<SegmentFile> files = save(*store, folder, kSegmentFileBytes);
  CancelFlag cancelled;
  cancelled.cancel();
  WrittenSegment written;
  const auto write = [&](const std::string& path, const CancelFlag& cancel) {
    return write_segment(*engine, rows.options, *store->snapshot(), 0, path, kSegmentFileBytes, 1, cancel,
                         &written);
  };
  CHECK(write(folder.file("other"), cancelled).code == StatusCode::aborted);
  const Status refused = write(folder.file("absent/segment"), CancelFlag());
  CHECK(refused.code == StatusCode::file_not_writable);
  CHECK(refused.file == "segment");
  std::vector<std::shared_ptr<Segment>> segments;
  CHECK(open_segments(engine, rows.options, files, false, 1, cancelled, &segments).code ==
        StatusCode::aborted);
  std::filesystem::remove(files[0].path);
  CHECK(open_segments(engine, rows.options, files, false, 1, CancelFlag(), &segments).code ==
        StatusCode::file_not_found);
  CHECK(segments.empty());
}

TEST_CASE("a lock has one holder, until it lets go") {
  const Folder folder;
  FileLock first;
  FileLock second;
  REQUIRE(first.acquire(folder.file("lock")).ok());
  CHECK(second.acquire(folder.file("lock")).code == StatusCode::index_locked);
  first.release();
  CHECK(second.acquire(folder.file("lock")).ok());
  CHECK(first.acquire(folder.file("absent/lock")).code == StatusCode::file_not_writable);
}
