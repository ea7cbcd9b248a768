#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/file.h"
#include "index/segment_layout.h"
#include "index/segment_reader.h"
#include "index/segment_writer.h"
#include "tests/search_fixture.h"
#include "tests/test_data.h"

using namespace granule;
using test_data::Kind;
using test_search::engine_for;

namespace {

/// A folder of its own, which goes with it.
struct Folder {
  Folder() {
    static int made = 0;
    path = std::filesystem::temp_directory_path() /
           ("granule-segment-" + std::to_string(reinterpret_cast<std::uintptr_t>(&made)) + "-" +
            std::to_string(++made));
    std::filesystem::create_directories(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string file(const std::string& name) const { return (path / name).string(); }

  std::filesystem::path path;
};

std::string bytes_of_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// Rows to store, in adds of these sizes.
struct Rows {
  StoreOptions options;
  Kind kind = Kind::uniform;
  bool biased = false;
  std::vector<uint32_t> adds;
};

std::shared_ptr<SegmentStore> filled(const std::shared_ptr<Engine>& engine, const Rows& rows) {
  auto store = std::make_shared<SegmentStore>(engine, rows.options);
  test_data::Random random(7);
  for (const uint32_t count : rows.adds) {
    std::vector<uint32_t> lengths(count, 1);
    uint64_t vectors = count;
    if (rows.options.documents) {
      vectors = 0;
      for (uint32_t& length : lengths) vectors += length = 1 + static_cast<uint32_t>(random.below(9));
    }
    const std::vector<float> x =
        test_data::vectors(rows.kind, vectors, rows.options.dimension, random.next());
    const std::vector<float> biases = test_data::vectors(Kind::uniform, count, 1, random.next());
    uint64_t first = 0;
    REQUIRE(store
                ->add({x.data(), vectors, rows.options.documents ? lengths.data() : nullptr, count,
                       rows.biased ? biases.data() : nullptr},
                      2, CancelFlag(), &first)
                .ok());
  }
  return store;
}

/// Which tensors a file holds is in its header; where they lie follows.
SegmentFile described(const std::string& path, const StoreOptions& options, const WrittenSegment& written) {
  SegmentFile out;
  out.path = path;
  out.name = path.substr(path.find_last_of('/') + 1);
  out.header_bytes = written.header.size();
  out.contents = {written.row_count, written.vector_count,
                  written.header.find("crc32c_codes") != std::string::npos,
                  written.header.find("crc32c_biases") != std::string::npos};
  const SegmentLayout layout(options, out.contents);
  for (const SegmentLayout::Tensor& tensor : layout.tensors()) {
    const std::string key = "\"crc32c_" + std::string(tensor.name) + "\":\"";
    const std::size_t at = written.header.find(key);
    REQUIRE(at != std::string::npos);
    out.checksums.push_back(
        static_cast<uint32_t>(std::stoul(written.header.substr(at + key.size(), 8), nullptr, 16)));
  }
  return out;
}

/// Writes all rows of a store into files.
std::vector<SegmentFile> save(const SegmentStore& store, const Folder& folder, uint64_t most_bytes) {
  const auto snapshot = store.snapshot();
  std::vector<SegmentFile> files;
  for (uint64_t row = 0; row < snapshot->row_count;) {
    const std::string path = folder.file("segment-" + std::to_string(files.size()));
    WrittenSegment written;
    const Status status = write_segment(store.engine(), store.options(), *snapshot, row, path, most_bytes, 2,
                                        CancelFlag(), &written);
    REQUIRE_MESSAGE(status.ok(), status.message);
    REQUIRE(std::filesystem::file_size(path) == written.bytes);
    REQUIRE(written.row_count > 0);
    files.push_back(described(path, store.options(), written));
    row += written.row_count;
  }
  return files;
}

Status open(const std::shared_ptr<Engine>& engine, const StoreOptions& options,
            const std::vector<SegmentFile>& files, bool mapped, std::shared_ptr<SegmentStore>* store) {
  std::vector<std::shared_ptr<Segment>> segments;
  if (Status status = open_segments(engine, options, files, mapped, 2, CancelFlag(), &segments); !status.ok())
    return status;
  *store = std::make_shared<SegmentStore>(engine, options);
  return (*store)->adopt_files(segments, nullptr);
}

/// Some queries and what a store answers.
struct Answers {
  Answers(const SegmentStore& store, uint32_t k) : result(kQueries, kQueries * 2, k) {
    const bool documents = store.options().documents;
    const std::vector<float> queries =
        test_data::vectors(Kind::uniform, kQueries * (documents ? 2 : 1), store.dimension(), 99);
    const std::vector<uint32_t> lengths(kQueries, 2);
    SearchOptions options;
    options.k = k;
    options.threads = 2;
    status =
        test_search::search(store, queries, documents ? &lengths : nullptr, options, result.hits(documents));
  }

  bool operator==(const Answers& other) const {
    return result.rows == other.result.rows && result.scores == other.result.scores &&
           result.counts == other.result.counts && result.matched_vectors == other.result.matched_vectors &&
           result.matched_similarities == other.result.matched_similarities;
  }

  static constexpr std::size_t kQueries = 4;
  test_search::Result result;
  Status status;
};

}  // namespace

TEST_CASE("an opened index answers with the same bits, read and mapped") {
  // What a file holds does not depend on the instruction set: two of them do.
  for (const Isa isa : {Isa::scalar, available_isas(detect_cpu_features()).back()}) {
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

TEST_CASE(
    "every byte of a file that is altered, and every end that it loses, is an error that names the file") {
  const std::shared_ptr<Engine> engine = engine_for(Isa::scalar, 1);
  for (const bool documents : {false, true}) {
    Rows rows;
    rows.options = {3, Metric::squared_l2, Dtype::f32, documents, true};
    rows.biased = true;
    rows.adds = {documents ? 6u : 35u};
    const auto store = filled(engine, rows);
    const Answers before(*store, 3);
    const Folder folder;
    const std::vector<SegmentFile> files = save(*store, folder, kSegmentFileBytes);
    const std::string sound = bytes_of_file(files[0].path);
    const SegmentLayout layout(rows.options, files[0].contents);
    const std::size_t vectors_at = files[0].header_bytes + layout.tensors().back().offset;

    const auto check = [&](const std::string& bytes, bool vectors_only) {
      write_file(files[0].path, bytes);
      for (const bool mapped : {false, true}) {
        std::shared_ptr<SegmentStore> opened;
        Status status = open(engine, rows.options, files, mapped, &opened);
        if (mapped && vectors_only) {
          REQUIRE(status.ok());
          status = Answers(*opened, 3).status;
        }
        REQUIRE(status.code == StatusCode::index_corrupt);
        REQUIRE(status.file == files[0].name);
        REQUIRE(status.message.find(files[0].name) == 0);
      }
    };
    for (std::size_t at = files[0].header_bytes; at < sound.size(); ++at) {
      std::string altered = sound;
      altered[at] = static_cast<char>(altered[at] ^ (1 << at % 8));
      check(altered, at >= vectors_at);
    }
    for (std::size_t length = 0; length < sound.size(); ++length) check(sound.substr(0, length), false);
    check(sound + '\0', false);

    write_file(files[0].path, sound);
    std::shared_ptr<SegmentStore> opened;
    REQUIRE(open(engine, rows.options, files, true, &opened).ok());
    CHECK(Answers(*opened, 3) == before);
  }
}

TEST_CASE("damage that a search does not touch does not trouble it, and what it touches does") {
  const std::shared_ptr<Engine> engine = engine_for(Isa::scalar, 1);
  Rows rows;
  rows.options = {16, Metric::inner_product, Dtype::f32, false, true};
  rows.adds = {3200};
  const auto store = filled(engine, rows);
  const Answers before(*store, 1);
  std::vector<bool> needed(200);
  for (const uint32_t row : before.result.rows) needed[row / 16] = true;
  const Folder folder;
  const std::vector<SegmentFile> files = save(*store, folder, kSegmentFileBytes);
  const std::string sound = bytes_of_file(files[0].path);
  std::size_t untroubled = 0;
  for (std::size_t block = 0; block < 200; ++block) {
    std::string altered = sound;
    altered[sound.size() - (200 - block) * 16 * 64 + 77] ^= 1;
    write_file(files[0].path, altered);
    std::shared_ptr<SegmentStore> opened;
    REQUIRE(open(engine, rows.options, files, true, &opened).ok());
    const Answers after(*opened, 1);
    if (after.status.ok()) {
      CHECK(after == before);
      CHECK(!needed[block]);
      ++untroubled;
    } else {
      CHECK(after.status.code == StatusCode::index_corrupt);
      CHECK(after.status.message == files[0].name + " is damaged: vectors " + std::to_string(block * 16) +
                                        " to " + std::to_string(block * 16 + 15) +
                                        " do not match their checksum");
    }
  }
  CHECK(untroubled > 100);
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

TEST_CASE("a file whose checksums hold but whose documents are impossible is refused") {
  const std::shared_ptr<Engine> engine = engine_for(Isa::scalar, 1);
  Rows rows;
  rows.options = {2, Metric::inner_product, Dtype::f32, true, false};
  rows.adds = {4};
  const auto store = filled(engine, rows);
  const Folder folder;
  const std::vector<SegmentFile> files = save(*store, folder, kSegmentFileBytes);
  const std::string sound = bytes_of_file(files[0].path);
  for (const uint64_t offset : {uint64_t{0}, ~uint64_t{0}, uint64_t{1} << 40}) {
    for (std::size_t row = 1; row <= 4; ++row) {
      std::string altered = sound;
      for (std::size_t i = 0; i < 8; ++i)
        altered[files[0].header_bytes + row * 8 + i] = static_cast<char>(offset >> (8 * i) & 0xff);
      write_file(files[0].path, altered);
      std::vector<SegmentFile> accepting = files;
      accepting[0].checksums[0] = crc32c_scalar(0, altered.data() + files[0].header_bytes, 40);
      std::shared_ptr<SegmentStore> opened;
      CHECK(open(engine, rows.options, accepting, false, &opened).code == StatusCode::index_corrupt);
    }
  }
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
