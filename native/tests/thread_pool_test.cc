#include "core/thread_pool.h"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <vector>

using granule::ThreadPool;

TEST_CASE("parallel_for calls every task once, whatever the numbers of tasks and threads") {
  for (const unsigned started : {0u, 1u, 2u, 7u}) {
    ThreadPool pool;
    pool.grow_to(started);
    for (const unsigned threads : {1u, 2u, 16u}) {
      for (const std::size_t count : {0u, 1u, 2u, 100u, 5000u}) {
        std::vector<std::atomic<int>> calls(count);
        pool.parallel_for(count, threads, [&](std::size_t task) { ++calls[task]; });
        for (const std::atomic<int>& c : calls) REQUIRE(c == 1);
      }
    }
  }
}

TEST_CASE("parallel_for inside jobs that occupy every thread does not deadlock") {
  ThreadPool pool;
  pool.grow_to(2);
  std::vector<std::promise<int>> results(20);
  for (std::promise<int>& result : results) {
    pool.submit([&] {
      std::atomic<int> sum{0};
      pool.parallel_for(100, 8, [&](std::size_t task) { sum += static_cast<int>(task); });
      result.set_value(sum);
    });
  }
  for (std::promise<int>& result : results) CHECK(result.get_future().get() == 4950);
}

TEST_CASE("the exception of a task reaches the caller, and the pool goes on") {
  ThreadPool pool;
  pool.grow_to(3);
  for (int round = 0; round < 50; ++round) {
    CHECK_THROWS_AS(pool.parallel_for(64, 4,
                                      [](std::size_t task) {
                                        if (task == 13) throw std::runtime_error("13");
                                      }),
                    std::runtime_error);
  }
  std::atomic<int> calls{0};
  pool.parallel_for(10, 4, [&](std::size_t) { ++calls; });
  CHECK(calls == 10);
}

TEST_CASE("stop runs what was queued and may be called twice") {
  std::atomic<int> calls{0};
  ThreadPool pool;
  pool.grow_to(2);
  for (int i = 0; i < 100; ++i) pool.submit([&] { ++calls; });
  pool.stop();
  CHECK(calls == 100);
  pool.stop();
}
