// How the CUDA backend brings the rows of an index to a device, over the emulator.

#include "tests/cuda_emulated_fixture.h"

#if defined(CUDA_EMULATED_LIBRARY)

using namespace granule;
using namespace test_cuda;

namespace {

/// 36 MiB of vectors: more than one piece.
constexpr std::size_t kRows = 9000;
const StoreOptions kOptions{1024, Metric::inner_product, Dtype::f32, false, true};

struct Uploaded {
  template <typename Work>
  explicit Uploaded(const Work& work)
      : bytes(traffic().bytes_to_device),
        pageable(traffic().pageable_bytes),
        registered(traffic().registered_bytes) {
    work();
    bytes = traffic().bytes_to_device - bytes;
    pageable = traffic().pageable_bytes - pageable;
    registered = traffic().registered_bytes - registered;
  }
  uint64_t bytes, pageable, registered;
};

bool same_hits(const test_search::Result& a, const test_search::Result& b) {
  return a.rows == b.rows && a.counts == b.counts && same_bits(a.scores, b.scores);
}

}  // namespace

TEST_CASE("CUDA, emulated: rows go to the device from pinned memory, and nothing stays pinned") {
  if (is_real()) return;
  cuda_emulator::Settings settings;
  Machine machine(settings);
  const Searched searched(cuda_engine(), kOptions, kRows);
  for (const bool registers : {true, false}) {
    machine->registers = registers;
    DirectSearch cpu(searched.store);
    REQUIRE(cpu.run("cpu") == GRANULE_OK);
    DirectSearch cuda(searched.store);
    // Numbers that no segment has: the device has not seen them.
    for (granule_segment& segment : cuda.segments) segment.id += registers ? 1'000'000 : 2'000'000;
    const std::size_t objects_before = objects_in_use();
    const Uploaded uploaded([&] { REQUIRE(cuda.run("cuda") == GRANULE_OK); });
    CHECK(uploaded.bytes >= kRows * 1024 * 4);
    // Small arrays, tables.
    CHECK(uploaded.pageable < (1 << 20));
    CHECK((uploaded.registered >= kRows * 1024 * 4) == registers);
    CHECK(same_hits(cuda.result, cpu.result));
    // The workspace's two blocks, its two streams and what holds the pieces of a search.
    CHECK(objects_in_use() - objects_before <= 6);
    const granule_backend& backend = searched.store.engine().backends.find("cuda")->backend;
    for (const granule_segment& segment : cuda.segments) backend.release_segment(backend.self, segment.id);
  }
}

TEST_CASE("CUDA, emulated: bringing rows to the device can be stopped, and fail") {
  if (is_real()) return;
  cuda_emulator::Settings settings;
  Machine machine(settings);
  for (const bool registers : {true, false}) {
    machine->registers = registers;
    const Searched searched(cuda_engine(), kOptions, kRows);
    REQUIRE(Searched(searched.store.shared_engine()).agrees({}));
    const std::size_t objects_before = objects_in_use();
    DirectSearch direct(searched.store);
    for (const int look : {1, 2, 3}) {
      CHECK(direct.run("cuda", look) == GRANULE_CANCELLED);
      CHECK(objects_in_use() == objects_before);
    }
    machine->launches_until_failure = 0;
    CHECK(direct.run("cuda") == GRANULE_FAILED);
    machine->launches_until_failure = -1;
    CHECK(objects_in_use() == objects_before);
    CHECK(searched.agrees({}));
  }
}

TEST_CASE("CUDA, emulated: vectors that lie in a file stay there and are read when they are scored") {
  if (is_real()) return;
  cuda_emulator::Settings settings;
  Machine machine(settings);
  for (const Metric metric : {Metric::inner_product, Metric::squared_l2}) {
    const Searched searched(cuda_engine(), {100, metric, Dtype::f16, false, true}, 5000);
    DirectSearch cpu(searched.store);
    REQUIRE(cpu.run("cpu") == GRANULE_OK);
    DirectSearch cuda(searched.store);
    struct File {
      std::atomic<int> reads{0};
      bool sound = true;
    } file;
    for (granule_segment& segment : cuda.segments) {
      segment.id += 3'000'000;
      segment.owner = &file;
      segment.verify = [](const void* owner, uint64_t, uint64_t) {
        auto& own = *static_cast<File*>(const_cast<void*>(owner));
        ++own.reads;
        return own.sound ? 1 : 0;
      };
    }
    const Uploaded uploaded([&] { REQUIRE(cuda.run("cuda") == GRANULE_OK); });
    // Their codes go, but for the rows behind the last whole block: half as many bytes.
    CHECK(uploaded.bytes < 5000 * 150);
    CHECK(same_hits(cuda.result, cpu.result));
    CHECK(file.reads > 0);
    for (int again = 0; again < 3; ++again) {
      REQUIRE(cuda.run("cuda") == GRANULE_OK);
      CHECK(same_hits(cuda.result, cpu.result));
    }
    file.sound = false;
    CHECK(cuda.run("cuda") == GRANULE_CORRUPT);
    file.sound = true;
    CHECK(cuda.run("cuda") == GRANULE_OK);
    CHECK(same_hits(cuda.result, cpu.result));
    const granule_backend& backend = searched.store.engine().backends.find("cuda")->backend;
    for (const granule_segment& segment : cuda.segments) backend.release_segment(backend.self, segment.id);
  }
}

#else

TEST_CASE("CUDA, emulated: how rows come to a device") { CHECK(test_cuda::is_skipped()); }

#endif
