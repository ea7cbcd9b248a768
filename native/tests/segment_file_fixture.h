#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "index/segment_layout.h"
#include "index/segment_reader.h"
#include "index/segment_writer.h"
#include "tests/search_fixture.h"
#include "tests/test_data.h"

/// Stores that are written to segment files, and opened from them.
namespace test_segments {

using namespace granule;
using test_data::Kind;

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

inline std::string bytes_of_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// Rows to store, in adds of these sizes.
struct Rows {
  StoreOptions options;
  Kind kind = Kind::uniform;
  bool biased = false;
  std::vector<uint32_t> adds;
};

inline std::shared_ptr<SegmentStore> filled(const std::shared_ptr<Engine>& engine, const Rows& rows) {
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
inline SegmentFile described(const std::string& path, const StoreOptions& options,
                             const WrittenSegment& written) {
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
inline std::vector<SegmentFile> save(const SegmentStore& store, const Folder& folder, uint64_t most_bytes) {
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

inline Status open(const std::shared_ptr<Engine>& engine, const StoreOptions& options,
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

}  // namespace test_segments
