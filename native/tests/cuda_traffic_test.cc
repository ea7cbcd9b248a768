// What the CUDA backend asks of a device, counted by the emulator: copies, submissions, waits; and what it
// keeps there.

#include "tests/cuda_emulated_fixture.h"

#if defined(CUDA_EMULATED_LIBRARY)

using namespace granule;
using namespace test_cuda;

namespace {

/// What the device was asked while `work` ran.
struct Count {
  template <typename Work>
  explicit Count(const Work& work) {
    const cuda_emulator::Traffic& now = traffic();
    const uint64_t before[] = {
        now.bytes_to_device, now.bytes_from_device, now.operations, now.submissions, now.waits, now.graphs};
    work();
    bytes_in = now.bytes_to_device - before[0];
    bytes_out = now.bytes_from_device - before[1];
    operations = now.operations - before[2];
    submissions = now.submissions - before[3];
    waits = now.waits - before[4];
    graphs = now.graphs - before[5];
  }
  uint64_t bytes_in, bytes_out, operations, submissions, waits, graphs;
};

}  // namespace

TEST_CASE("CUDA, emulated: a small search that comes again is one submission, with its queries and no more") {
  if (is_real()) return;
  Machine machine{cuda_emulator::Settings{}};
  const Searched searched(cuda_engine());
  for (const uint32_t queries : {1u, 8u}) {
    Asked asked;
    asked.queries = queries;
    const auto search = [&] { REQUIRE(searched.search("cuda", asked).ok()); };
    search();
    const Count recorded(search);
    CHECK(recorded.graphs == 1);
    for (int again = 0; again < 3; ++again) {
      ++asked.seed;
      const Count count(search);
      CHECK(count.graphs == 0);
      CHECK(count.submissions == 1);
      CHECK(count.operations == 0);
      // The second finds the stream done, when the workspace goes back.
      CHECK(count.waits == 2);
      // Queries of 80 bytes, codes of 64 in two planes or one, and a few numbers for each, in six pieces.
      CHECK(count.bytes_in <= 4096);
      // The survivors of each: (4 * 10 + 256) * 8 bytes, and two pieces of numbers.
      CHECK(count.bytes_out <= queries * 296 * 8 + 3 * 256);
    }
  }
  // A filter may have changed: it goes with every search, one bit a row.
  Asked asked;
  asked.filter_seed = 7;
  for (int again = 0; again < 3; ++again) REQUIRE(searched.search("cuda", asked).ok());
  const Count filtered([&] { REQUIRE(searched.search("cuda", asked).ok()); });
  CHECK(filtered.submissions == 1);
  CHECK(filtered.bytes_in >= 2000 / 8);
  CHECK(filtered.bytes_in <= 4096);
}

TEST_CASE("CUDA, emulated: batches and documents send no tables again") {
  if (is_real()) return;
  Machine machine{cuda_emulator::Settings{}};
  // Tables of 79 tiles and one segment: 316 bytes and 104.
  const Searched searched(cuda_engine(), {4, Metric::inner_product, Dtype::f32, false, true}, 10000);
  Asked asked;
  asked.queries = 9;
  REQUIRE(searched.search("cuda", asked).ok());
  const Count again([&] { REQUIRE(searched.search("cuda", asked).ok()); });
  // Queries of 16 bytes, one tile of 64 in codes of 64 bytes, and for each query seven factors and a
  // threshold.
  CHECK(again.bytes_in == 9 * 16 + 64 * 64 + 9 * 28 + 9 * 4);

  // Five documents a segment and vectors of 16 bytes; the queries of 16 bytes fill half a panel of 32 codes
  // of 64.
  SegmentStore documents(searched.store.shared_engine(), {4, Metric::inner_product, Dtype::f32, true, true});
  const std::vector<float> vectors = test_data::vectors(Kind::uniform, 100, 4, 1);
  const std::vector<uint32_t> lengths(5, 20);
  uint64_t first = 0;
  REQUIRE(documents.add({vectors.data(), 100, lengths.data(), 5}, 1, CancelFlag(), &first).ok());
  Case test;
  test.options = documents.options();
  test.k = 2;
  const std::vector<float> query(vectors.begin(), vectors.begin() + 16 * 4);
  const auto search_documents = [&] { REQUIRE(search(documents, "cuda", test, query, {16}).status.ok()); };
  search_documents();
  const Count repeated(search_documents);
  const uint64_t queries = 16 + 32 * 28 + 32 * 64 + 16 * 16;
  // Once to score them and once to explain the two that are returned, by their places and their count.
  CHECK(repeated.bytes_in == 2 * queries + 2 * 4 + 4);
}

TEST_CASE("CUDA, emulated: searches that come again give the same bits, whatever changes in between") {
  if (is_real()) return;
  Machine machine{cuda_emulator::Settings{}};
  const auto engine = cuda_engine();
  for (const Metric metric : {Metric::inner_product, Metric::squared_l2}) {
    Searched searched(engine, {24, metric, Dtype::f32, false, true}, 2200);
    Searched other(engine, {24, metric, Dtype::f16, false, true}, 2500);
    uint64_t seed = 10;
    for (int round = 0; round < 2; ++round) {
      for (const uint32_t queries : {1u, 2u, 5u}) {
        for (int again = 0; again < 6; ++again) {
          // Each kind of search three times, with other queries and another filter.
          const Asked asked{queries, again % 2 == 0 ? 3u : 10u, ++seed, again % 2 == 0 ? 0 : seed};
          REQUIRE(searched.agrees(asked));
          if (queries == 2 && again > 1) REQUIRE(other.agrees(asked));
        }
      }
      // Rows go, and come: into the segment that is there, and into one that must grow.
      const uint32_t removed[] = {static_cast<uint32_t>(5 * round), 1234};
      uint64_t count = 0;
      REQUIRE(searched.store.remove(removed, 2, &count).ok());
      REQUIRE(searched.agrees({2, 10, ++seed, 0}));
      REQUIRE(searched.add(round % 2 == 0 ? 3 : 900).ok());
    }
  }
}

TEST_CASE("CUDA, emulated: survivors that the copy back has no room for are found all the same") {
  if (is_real()) return;
  Machine machine{cuda_emulator::Settings{}};
  const auto engine = cuda_engine();
  for (const Kind kind : {Kind::all_equal, Kind::few_values, Kind::mixed_magnitudes, Kind::huge}) {
    const Searched searched(engine, {8, Metric::inner_product, Dtype::f32, false, true}, 2500, kind);
    for (uint64_t seed = 1; seed < 4; ++seed) REQUIRE(searched.agrees({3, 5, seed, seed == 3 ? 9u : 0u}));
  }
}

TEST_CASE("CUDA, emulated: a corpus that takes long is scanned in parts, and a search stops between two") {
  if (is_real()) return;
  cuda_emulator::Settings settings;
  // So slow that it reads 9 tiles of 64 bytes a row between two looks: 4 * kilohertz * bits / 4.
  settings.memory_kilohertz = 9 * 128 * 8;
  settings.memory_bits = 8;
  Machine machine(settings);
  const Searched searched(cuda_engine(), {24, Metric::inner_product, Dtype::f32, false, true}, 6000);
  for (uint64_t seed = 1; seed < 5; ++seed) REQUIRE(searched.agrees({2, 10, seed, seed % 2 * 5}));
  const Count whole([&] { REQUIRE(searched.search("cuda").ok()); });
  // 47 tiles.
  CHECK(whole.submissions == 6);

  DirectSearch direct(searched.store);
  for (int again = 0; again < 3; ++again) {
    CHECK(direct.run("cuda", 4) == GRANULE_CANCELLED);
    CHECK(direct.looks == 4);
  }
  CHECK(searched.agrees({1, 10, 3, 0}));
}

TEST_CASE("CUDA, emulated: a graph's kernels keep their shared memory when others have need of less") {
  if (is_real()) return;
  Machine machine{cuda_emulator::Settings{}};
  const auto engine = cuda_engine();
  // Codes of four queries in two planes: 64 KiB, more than a kernel has unasked.
  const Searched wide(engine, {8192, Metric::inner_product, Dtype::f32, false, true}, 130);
  const Searched narrow(engine, {8, Metric::inner_product, Dtype::f32, false, true}, 130);
  for (uint64_t seed = 1; seed < 4; ++seed) {
    REQUIRE(wide.agrees({4, 3, seed, 0}));
    REQUIRE(narrow.agrees({4, 3, seed, 0}));
  }
}

TEST_CASE("CUDA, emulated: what searches worked with goes with the last index") {
  if (is_real()) return;
  Machine machine{cuda_emulator::Settings{}};
  const std::size_t memory_before = memory_in_use();
  const std::size_t objects_before = objects_in_use();
  {
    const auto engine = cuda_engine();
    std::vector<std::size_t> memory;
    std::vector<std::size_t> objects;
    for (int round = 0; round < 3; ++round) {
      {
        Searched large(engine, {64, Metric::squared_l2, Dtype::f32, false, true}, 1500);
        for (const uint32_t queries : {1u, 8u, 40u}) {
          for (int again = 0; again < 3; ++again) REQUIRE(large.agrees({queries, 20, 1, 3}));
        }
        REQUIRE(large.add(3000).ok());
        REQUIRE(large.agrees({1, 20, 1, 3}));
      }
      const Searched tiny(engine, {4, Metric::inner_product, Dtype::f32, false, true}, 100);
      REQUIRE(tiny.search("cuda").ok());
      memory.push_back(memory_in_use());
      objects.push_back(objects_in_use());
    }
    CHECK(memory[2] == memory[0]);
    CHECK(objects[2] == objects[0]);
    // Nothing of the large index is left: 64 numbers of 4 bytes for 4500 rows alone were 1.1 MiB.
    CHECK(memory[0] - memory_before < (1 << 19));
  }
  CHECK(memory_in_use() == memory_before);
  CHECK(objects_in_use() == objects_before);
}

#else

TEST_CASE("CUDA, emulated: what is asked of a device") { CHECK(test_cuda::is_skipped()); }

#endif
