// The CUDA backend where things go wrong, or are other than usual: on the emulator, which can be told to.

#include "tests/cuda_emulated_fixture.h"

#if defined(CUDA_EMULATED_LIBRARY)
#include <atomic>
#include <chrono>
#include <thread>

using namespace granule;
using namespace test_cuda;

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

/// For how many places in a search the device can fail; each is an error that leaves everything usable.
int64_t failing_launches(const Searched& searched, const Asked& asked, Machine* machine) {
  for (int64_t launches = 0;; ++launches) {
    (*machine)->launches_until_failure = launches;
    const Status failed = searched.search("cuda", asked);
    (*machine)->launches_until_failure = -1;
    CHECK(searched.agrees(asked));
    if (failed.ok()) return launches;
    CHECK(failed.message.find("unspecified launch failure") != std::string::npos);
  }
}

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
    // Wherever in a search the device fails: in one that puts its parts on the stream, and in a batch.
    for (const uint32_t queries : {2u, 12u}) {
      Asked asked;
      asked.queries = queries;
      int64_t failures = 0;
      for (;; ++failures) {
        // A snapshot of its own has no graph yet.
        REQUIRE(searched.add(20).ok());
        machine->launches_until_failure = failures;
        const Status failed = searched.search("cuda", asked);
        machine->launches_until_failure = -1;
        if (failed.ok()) break;
        INFO(failed.message);
        REQUIRE(failed.message.find("unspecified launch failure") != std::string::npos);
        CHECK(searched.search("cpu", asked).ok());
        CHECK(searched.agrees(asked));
      }
      CHECK(failures >= 5);
    }
    // And in one that a graph repeats.
    CHECK(searched.agrees({}));
    CHECK(searched.agrees({}));
    machine->launches_until_failure = 0;
    CHECK_FALSE(searched.search("cuda").ok());
    machine->launches_until_failure = -1;
    CHECK(searched.agrees({}));
    CancelFlag cancel;
    cancel.cancel();
    CHECK(searched.search("cuda", {}, cancel).code == StatusCode::aborted);
    CHECK(searched.search("cuda").ok());
    CHECK(memory_in_use() > memory_before);
  }
  CHECK(memory_in_use() == memory_before);
  CHECK(objects_in_use() == objects_before);
}

TEST_CASE("CUDA, emulated: a lost device fails searches at once, and the processor answers") {
  if (is_real()) return;
  cuda_emulator::Settings settings;
  Machine machine(settings);
  const std::size_t memory_before = memory_in_use();
  const std::size_t objects_before = objects_in_use();
  // Lost while rows come to it, while a search runs, while a graph does, and in a batch.
  struct {
    uint32_t queries;
    int searches_before;
    int64_t launches;
  } const losses[] = {{2, 0, 0}, {2, 0, 3}, {1, 3, 2}, {12, 1, 2}};
  for (const auto& loss : losses) {
    {
      const auto engine = cuda_engine();
      Searched searched(engine);
      auto other = std::make_unique<Searched>(engine);
      Asked asked;
      asked.queries = loss.queries;
      for (int i = 0; i < loss.searches_before; ++i) REQUIRE(searched.agrees(asked));
      REQUIRE(other->agrees({}));
      machine->launches_until_loss = loss.launches;
      const Status failed = searched.search("cuda", asked);
      CHECK(failed.code == StatusCode::internal);
      CHECK(failed.message.find("an illegal memory access was encountered") != std::string::npos);
      CHECK(machine->lost_devices == 1u);
      const uint64_t operations = traffic().operations;
      for (const Searched* each : {&searched, other.get()}) {
        const Status later = each->search("cuda", asked);
        CHECK(later.message ==
              "CUDA device 0 was lost and is there again when the process has been restarted; device 'cpu' "
              "still answers: an illegal memory access was encountered");
        CHECK(each->search("cpu", asked).ok());
      }
      CHECK(traffic().operations == operations);
      // Rows are added, and indexes go, as if nothing had happened.
      CHECK(searched.add(100).ok());
      other.reset();
    }
    machine->launches_until_loss = -1;
    machine->lost_devices = 0u;
    CHECK(memory_in_use() == memory_before);
    CHECK(objects_in_use() == objects_before);
  }
  // Another engine, as of a process that was restarted.
  CHECK(Searched(cuda_engine()).agrees({}));
}

TEST_CASE("CUDA, emulated: of several devices one may be lost") {
  if (is_real()) return;
  cuda_emulator::Settings settings;
  settings.devices = 2;
  Machine machine(settings);
  const auto engine = cuda_engine();
  Searched searched(engine);
  for (int i = 0; i < 5; ++i) REQUIRE(searched.add(1500).ok());
  REQUIRE(searched.agrees({}));
  machine->lost_devices = 2u;
  CHECK_FALSE(searched.search("cuda").ok());
  const Status later = searched.search("cuda");
  CHECK(later.message.find("CUDA device 1 was lost") == 0);
  CHECK(searched.search("cpu").ok());
}

TEST_CASE(
    "CUDA, emulated: a device that fails while terms are added is an error, and leaves everything usable") {
  if (is_real()) return;
  Machine machine{cuda_emulator::Settings{}};
  const std::size_t memory_before = memory_in_use();
  const std::size_t objects_before = objects_in_use();
  {
    const Searched searched(cuda_engine());
    Asked asked;
    REQUIRE(searched.agrees(asked));
    const int64_t without = failing_launches(searched, asked, &machine);
    asked.log_sum_exp = true;
    CHECK(failing_launches(searched, asked, &machine) > without);
  }
  CHECK(memory_in_use() == memory_before);
  CHECK(objects_in_use() == objects_before);
}

TEST_CASE("CUDA, emulated: log-sum-exps of several devices, and of vectors that stay with the host") {
  if (is_real()) return;
  for (Case test : {row_case(), document_case()}) {
    test.vectors = 1500;
    test.queries = 2;
    test.query_lengths = {7, 2};
    test.log_sum_exp = true;
    {
      cuda_emulator::Settings settings;
      // Enough for the codes, not for the vectors.
      settings.memory_bytes = std::size_t{test.lengths.empty() ? 600u : 280u} << 10;
      Machine machine(settings);
      compare(cuda_engine(), test);
    }
    cuda_emulator::Settings settings;
    settings.devices = 2;
    Machine machine(settings);
    test.adds = 3;
    test.filtered = true;
    test.candidates = !test.lengths.empty();
    compare(cuda_engine(), test);
  }
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

TEST_CASE("CUDA, emulated: searches, adds, removals, indexes that go and aborts, all at the same time") {
  if (is_real()) return;
  Machine machine{cuda_emulator::Settings{}};
  const std::size_t memory_before = memory_in_use();
  const std::size_t objects_before = objects_in_use();
  {
    const auto engine = cuda_engine();
    Searched searched(engine, {8, Metric::squared_l2, Dtype::f32, false, true}, 1500);
    std::atomic<bool> over{false};
    std::atomic<int> failures{0};
    std::atomic<int> searches{0};
    std::atomic<int> aborted{0};
    std::vector<std::thread> threads;
    // Each search is compared with the processor's of the same snapshot.
    for (const uint32_t queries : {1u, 3u, 10u}) {
      threads.emplace_back([&, queries] {
        for (uint64_t seed = 1; !over; ++seed) {
          if (!searched.agrees({queries, 5, seed, seed % 3})) ++failures;
          ++searches;
        }
      });
    }
    threads.emplace_back([&] {
      for (uint32_t round = 0; !over; ++round) {
        uint64_t count = 0;
        if (!searched.store.remove(&round, 1, &count).ok() || !searched.add(round % 4 == 0 ? 150 : 2).ok())
          ++failures;
        const Searched short_lived(engine, {8, Metric::inner_product, Dtype::f32, false, true}, 300);
        if (!short_lived.agrees({2, 3, round + 1, 0})) ++failures;
      }
    });
    threads.emplace_back([&] {
      while (!over) {
        CancelFlag cancel;
        std::thread canceller([&] {
          std::this_thread::sleep_for(std::chrono::milliseconds(2));
          cancel.cancel();
        });
        const Status status = searched.search("cuda", {4, 10, 1, 0}, cancel);
        canceller.join();
        if (status.code == StatusCode::aborted) {
          ++aborted;
        } else if (!status.ok()) {
          ++failures;
        }
      }
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    over = true;
    for (std::thread& thread : threads) thread.join();
    CHECK(failures == 0);
    CHECK(searches >= 6);
    MESSAGE(searches.load() << " searches compared, " << aborted.load() << " aborted");
    CHECK(searched.agrees({3, 5, 1, 0}));
  }
  CHECK(memory_in_use() == memory_before);
  CHECK(objects_in_use() == objects_before);
}

#else

TEST_CASE("CUDA, emulated: where things go wrong") { CHECK(test_cuda::is_skipped()); }

#endif
