#include "core/thread_pool.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <stdexcept>
#include <thread>
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

TEST_CASE("tasks of a slot never run at once and come in ascending order") {
  for (const unsigned started : {0u, 1u, 3u}) {
    ThreadPool pool;
    pool.grow_to(started);
    for (const unsigned threads : {1u, 2u, 8u}) {
      std::vector<std::atomic<int>> running(threads);
      std::vector<std::size_t> last(threads, 0);
      std::vector<std::atomic<int>> calls(3000);
      std::atomic<bool> good{true};
      pool.parallel_for_slots(calls.size(), threads, [&](std::size_t task, std::size_t slot) {
        if (slot >= threads || running[slot].fetch_add(1) != 0) good = false;
        if (slot < threads && task < last[slot]) good = false;
        if (slot < threads) last[slot] = task;
        ++calls[task];
        running[slot].fetch_sub(1);
      });
      CHECK(good);
      for (const std::atomic<int>& c : calls) REQUIRE(c == 1);
    }
  }
}

namespace {

/// Waits up to ten seconds.
bool becomes_true(const std::atomic<bool>& flag) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!flag && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return flag;
}

}  // namespace

TEST_CASE("a job that is submitted while others occupy every thread does not wait for their end") {
  ThreadPool pool;
  pool.grow_to(2);
  std::atomic<bool> ran{false};
  std::atomic<bool> ended_in_time{true};
  std::atomic<int> begun{0};
  std::vector<std::promise<void>> ends(2);
  for (std::promise<void>& end : ends) {
    pool.submit([&] {
      // Tasks that end only when the other job has run.
      pool.parallel_for(4, 2, [&](std::size_t) {
        ++begun;
        if (!becomes_true(ran)) ended_in_time = false;
      });
      end.set_value();
    });
  }
  while (begun < 2) std::this_thread::yield();
  pool.submit([&] { ran = true; });
  for (std::promise<void>& end : ends) end.get_future().get();
  CHECK(ended_in_time);
}

TEST_CASE("a thread that helps a long job turns to another job between two tasks") {
  ThreadPool pool;
  pool.grow_to(ThreadPool::default_threads() * 2 + 2);  // no thread is started any more
  const std::size_t helpers = pool.size();
  std::atomic<bool> ran{false};
  std::atomic<std::size_t> first_tasks{0};
  std::atomic<bool> go{false};
  std::atomic<bool> ended_in_time{true};
  std::promise<void> end;
  pool.submit([&] {
    // One task for each thread, which waits for `go`; then one, for the thread that runs the job, that waits
    // for the other job. Helpers that stayed would take the rest and wait as well.
    pool.parallel_for(2 * helpers, static_cast<unsigned>(helpers), [&](std::size_t task) {
      if (task < helpers) {
        ++first_tasks;
        becomes_true(go);
      } else if (!becomes_true(ran)) {
        ended_in_time = false;
      }
    });
    end.set_value();
  });
  while (first_tasks < helpers) std::this_thread::yield();
  pool.submit([&] { ran = true; });
  go = true;
  end.get_future().get();
  CHECK(ended_in_time);
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
