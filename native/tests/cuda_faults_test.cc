// The CUDA backend where things go wrong, or are other than usual: on the emulator, which can be told to.

#include "tests/emulated_machine.h"

#if defined(CUDA_EMULATED_LIBRARY)
#include <atomic>
#include <thread>

using namespace granule;
using test_cuda::Case;
using test_cuda::compare;
using test_cuda::cuda_engine;
using test_cuda::is_real;
using test_cuda::Machine;
using test_cuda::memory_in_use;
using test_cuda::objects_in_use;
using test_data::Kind;

namespace {

Case row_case() {
  Case test;
  test.options = {100, Metric::squared_l2, Dtype::f32, false, true};
  test.vectors = 6000;
  test.queries = 3;
  test.biased = true;
  return test;
}

Case document_case() {
  Case test;
  test.options = {40, Metric::inner_product, Dtype::f32, true, true};
  test.vectors = 2500;
  test.lengths = {9, 33, 1};
  test.queries = 2;
  test.query_lengths = {7, 35};
  test.k = 5;
  return test;
}

/// A store with some rows, and queries for it.
struct Searched {
  explicit Searched(const std::shared_ptr<Engine>& engine)
      : store(engine, {20, Metric::inner_product, Dtype::f32, false, true}),
        vectors(test_data::vectors(Kind::uniform, 2000, 20, 1)),
        queries(test_data::vectors(Kind::uniform, 2, 20, 2)) {
    uint64_t first = 0;
    REQUIRE(store.add({vectors.data(), 2000, nullptr, 2000}, 2, CancelFlag(), &first).ok());
  }

  Status search(const char* backend, const CancelFlag& cancel = {}) {
    SearchOptions options;
    options.k = 10;
    options.threads = 1;
    test_search::Result result(2, 2, 10);
    return search_snapshot(store.engine(), store.engine().backends.find(backend)->backend, *store.snapshot(),
                           store.options(), queries.data(), 2, nullptr, 2, options, cancel,
                           result.hits(false));
  }

  SegmentStore store;
  std::vector<float> vectors;
  std::vector<float> queries;
};

}  // namespace

TEST_CASE("CUDA, emulated: several devices share the rows") {
  if (is_real()) return;
  cuda_emulator::Settings settings;
  settings.devices = 3;
  Machine machine(settings);
  const auto engine = cuda_engine();
  for (Case test : {row_case(), document_case()}) {
    // So that there are several segments.
    test.adds = 5;
    compare(engine, test);
    test.filtered = true;
    test.k = 300;
    compare(engine, test);
  }
}

TEST_CASE("CUDA, emulated: vectors that the device has no room for stay with the host") {
  if (is_real()) return;
  cuda_emulator::Settings settings;
  settings.memory_bytes = std::size_t{3} << 20;
  Machine machine(settings);
  for (const Metric metric : {Metric::inner_product, Metric::squared_l2}) {
    Case rows = row_case();
    rows.options.metric = metric;
    compare(cuda_engine(), rows);
  }
  machine->memory_bytes = 640 << 10;
  compare(cuda_engine(), document_case());
}

TEST_CASE(
    "CUDA, emulated: too little memory and failing launches become errors, and leave everything usable") {
  if (is_real()) return;
  cuda_emulator::Settings settings;
  Machine machine(settings);
  const std::size_t memory_before = memory_in_use();
  const std::size_t objects_before = objects_in_use();
  {
    Searched searched(cuda_engine());
    machine->memory_bytes = 20000;
    const Status too_little = searched.search("cuda");
    CHECK(too_little.code == StatusCode::out_of_memory);
    CHECK(too_little.message == "the device has not enough memory: out of memory");
    CHECK(searched.search("cpu").ok());
    machine->memory_bytes = std::size_t{1} << 30;
    CHECK(searched.search("cuda").ok());
    // Wherever in a search the device fails.
    for (int64_t launches = 0; launches < 3; ++launches) {
      machine->launches_until_failure = launches;
      const Status failed = searched.search("cuda");
      machine->launches_until_failure = -1;
      CHECK_FALSE(failed.ok());
      CHECK(failed.message.find("unspecified launch failure") != std::string::npos);
      CHECK(searched.search("cpu").ok());
      CHECK(searched.search("cuda").ok());
    }
    CancelFlag cancel;
    cancel.cancel();
    CHECK(searched.search("cuda", cancel).code == StatusCode::aborted);
    CHECK(searched.search("cuda").ok());
    CHECK(memory_in_use() > memory_before);
  }
  CHECK(memory_in_use() == memory_before);
  CHECK(objects_in_use() == objects_before);
}

TEST_CASE("CUDA, emulated: segments that go give their memory back") {
  if (is_real()) return;
  Machine machine{cuda_emulator::Settings{}};
  const auto engine = cuda_engine();
  std::vector<std::size_t> in_use;
  for (int i = 0; i < 5; ++i) {
    // What the one before it held goes when memory is asked for again.
    Searched searched(engine);
    REQUIRE(searched.search("cuda").ok());
    in_use.push_back(memory_in_use());
  }
  CHECK(in_use[4] == in_use[1]);
}

TEST_CASE("CUDA, emulated: no device, or one that is too old, is no backend, with the reason") {
  if (is_real()) return;
  cuda_emulator::Settings settings;
  settings.devices = 0;
  Machine machine(settings);
  const BackendEntry none = open_backend_library("cuda", CUDA_EMULATED_LIBRARY);
  CHECK_FALSE(none.available);
  CHECK(none.reason.find("no device: no CUDA-capable device is detected") == 0);
  machine->devices = 1;
  machine->major = 7;
  const BackendEntry old = open_backend_library("cuda", CUDA_EMULATED_LIBRARY);
  CHECK_FALSE(old.available);
  CHECK(old.reason.find("compute capability 7.0, 1024 MiB), too old") != std::string::npos);
}

TEST_CASE("CUDA, emulated: searches run at the same time as others and as adds") {
  if (is_real()) return;
  Machine machine{cuda_emulator::Settings{}};
  Searched searched(cuda_engine());
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 6; ++i) {
        if (!searched.search("cuda").ok()) ++failures;
      }
    });
  }
  for (int i = 0; i < 6; ++i) {
    uint64_t first = 0;
    if (!searched.store.add({searched.vectors.data(), 500, nullptr, 500}, 1, CancelFlag(), &first).ok())
      ++failures;
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(failures.load() == 0);
  CHECK(searched.search("cuda").ok());
}

#else

TEST_CASE("CUDA, emulated: where things go wrong") { CHECK(test_cuda::is_skipped()); }

#endif
