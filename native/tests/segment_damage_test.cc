#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "kernels/checksum/checksum.h"
#include "tests/segment_file_fixture.h"

using namespace test_segments;
using test_search::engine_for;

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
    // What reads files is the same code on every processor: an emulated one is shown a share of the damages.
    const std::size_t step = test_search::is_emulated() ? 13 : 1;
    for (std::size_t at = files[0].header_bytes; at < sound.size(); at += step) {
      std::string altered = sound;
      altered[at] = static_cast<char>(altered[at] ^ (1 << at % 8));
      check(altered, at >= vectors_at);
    }
    for (std::size_t length = 0; length < sound.size(); length += step) check(sound.substr(0, length), false);
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

TEST_CASE("a file whose checksums hold but whose scales or norms are impossible is refused") {
  const std::shared_ptr<Engine> engine = engine_for(Isa::scalar, 1);
  Rows rows;
  rows.options = {4, Metric::squared_l2, Dtype::f32, false, true};
  rows.biased = true;
  rows.adds = {16};
  const auto store = filled(engine, rows);
  const Folder folder;
  const std::vector<SegmentFile> files = save(*store, folder, kSegmentFileBytes);
  const std::string sound = bytes_of_file(files[0].path);
  const SegmentLayout layout(rows.options, files[0].contents);
  for (std::size_t t = 1; t + 2 < layout.tensors().size(); ++t) {
    const SegmentLayout::Tensor& tensor = layout.tensors()[t];
    std::string altered = sound;
    // All ones is a NaN of float32 and of float64.
    const std::size_t at = files[0].header_bytes + tensor.offset;
    std::fill_n(altered.begin() + static_cast<std::ptrdiff_t>(at), 8, '\xff');
    write_file(files[0].path, altered);
    std::vector<SegmentFile> accepting = files;
    accepting[0].checksums[t] = crc32c_scalar(0, altered.data() + at, tensor.bytes);
    std::shared_ptr<SegmentStore> opened;
    const Status status = open(engine, rows.options, accepting, false, &opened);
    CHECK_MESSAGE(status.code == StatusCode::index_corrupt, tensor.name);
  }
}
