#include "core/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <system_error>
#include <utility>

namespace granule {
namespace {

/// One parallel_for. Helpers hold it by shared_ptr: one that comes late finds no task left and touches
/// nothing else.
struct Region {
  Region(std::size_t task_count, const std::function<void(std::size_t)>& task_body)
      : count(task_count), body(&task_body) {}

  void work() {
    for (;;) {
      const std::size_t task = next.fetch_add(1, std::memory_order_relaxed);
      if (task >= count) return;
      if (!failed.load(std::memory_order_relaxed)) {
        try {
          (*body)(task);
        } catch (...) {
          std::lock_guard<std::mutex> lock(mutex);
          if (!error) error = std::current_exception();
          failed.store(true, std::memory_order_relaxed);
        }
      }
      if (finished.fetch_add(1, std::memory_order_acq_rel) + 1 == count) {
        std::lock_guard<std::mutex> lock(mutex);
        done.notify_all();
      }
    }
  }

  void wait() {
    std::unique_lock<std::mutex> lock(mutex);
    done.wait(lock, [this] { return finished.load(std::memory_order_acquire) == count; });
    if (error) std::rethrow_exception(error);
  }

  const std::size_t count;
  const std::function<void(std::size_t)>* body;
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> finished{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  std::condition_variable done;
  std::exception_ptr error;
};

}  // namespace

unsigned ThreadPool::default_threads() { return std::max(1u, std::thread::hardware_concurrency()); }

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() {
  std::vector<std::thread> threads;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    threads.swap(threads_);
  }
  wake_.notify_all();
  for (std::thread& thread : threads) thread.join();
}

void ThreadPool::grow_to(unsigned threads) {
  std::lock_guard<std::mutex> lock(mutex_);
  while (threads_.size() < threads) {
    try {
      threads_.emplace_back([this] { run(); });
    } catch (const std::system_error&) {
      if (threads_.empty()) throw;
      return;
    }
  }
}

void ThreadPool::submit(std::function<void()> job) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    queue_.push_back(std::move(job));
  }
  wake_.notify_one();
}

void ThreadPool::parallel_for(std::size_t count, unsigned threads,
                              const std::function<void(std::size_t)>& body) {
  if (count == 0) return;
  const std::size_t helpers = std::min<std::size_t>({count, std::max(1u, threads), size() + 1u}) - 1;
  if (helpers == 0) {
    for (std::size_t task = 0; task < count; ++task) body(task);
    return;
  }
  auto region = std::make_shared<Region>(count, body);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (std::size_t i = 0; i < helpers; ++i) queue_.emplace_back([region] { region->work(); });
  }
  wake_.notify_all();
  region->work();
  region->wait();
}

unsigned ThreadPool::size() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return static_cast<unsigned>(threads_.size());
}

void ThreadPool::run() {
  for (;;) {
    std::function<void()> job;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      job = std::move(queue_.front());
      queue_.pop_front();
    }
    job();
  }
}

}  // namespace granule
