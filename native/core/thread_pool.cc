#include "core/thread_pool.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <system_error>
#include <utility>

#include "core/time_slice.h"

namespace granule {
namespace {

/// How long an idle thread looks for work before it sleeps.
constexpr std::chrono::microseconds kLooking{50};
/// How long a caller looks for the end of its helpers' last tasks before it sleeps.
constexpr std::chrono::microseconds kFinishing{20};

inline void pause() {
#if defined(__x86_64__) && defined(__GNUC__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) && defined(__GNUC__)
  __asm__ volatile("yield");
#endif
}

/// Looks until `found` or until the time is over.
template <typename Found>
bool look(std::chrono::microseconds time, const Found& found) {
  const auto end = std::chrono::steady_clock::now() + time;
  do {
    for (int i = 0; i < 16; ++i) {
      if (found()) return true;
      pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

}  // namespace

/// One parallel_for. Helpers hold it by shared_ptr: one that comes late finds no task left and touches
/// nothing else.
struct ThreadPool::Region {
  Region(std::size_t task_count, std::size_t helpers,
         const std::function<void(std::size_t, std::size_t)>& task_body)
      : count(task_count), body(&task_body) {
    for (std::size_t slot = helpers; slot > 0; --slot) free_slots.push_back(slot);
  }

  bool has_tasks() const { return next.load(std::memory_order_relaxed) < count; }

  /// Runs one task; false where none is left.
  bool work(std::size_t slot) {
    const std::size_t task = next.fetch_add(1, std::memory_order_relaxed);
    if (task >= count) return false;
    if (!failed.load(std::memory_order_relaxed)) {
      try {
        (*body)(task, slot);
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
    return true;
  }

  void wait() {
    const auto all_finished = [this] { return finished.load(std::memory_order_acquire) == count; };
    look(kFinishing, all_finished);
    std::unique_lock<std::mutex> lock(mutex);
    done.wait(lock, all_finished);
    if (error) std::rethrow_exception(error);
  }

  const std::size_t count;
  const std::function<void(std::size_t, std::size_t)>* body;
  /// Slots for helpers, under the pool's lock; the caller has slot 0.
  std::vector<std::size_t> free_slots;
  /// Whether the pool's list holds it. Changes under the pool's lock.
  std::atomic<bool> listed{false};
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> finished{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  std::condition_variable done;
  std::exception_ptr error;
};

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

bool ThreadPool::start_thread() {
  try {
    threads_.emplace_back([this] { run(); });
    return true;
  } catch (const std::system_error&) {
    if (threads_.empty()) throw;
    return false;
  }
}

void ThreadPool::grow_to(unsigned threads) {
  std::lock_guard<std::mutex> lock(mutex_);
  while (threads_.size() < threads && start_thread()) {
  }
}

void ThreadPool::wake(std::size_t count) {
  // A thread that looks for work finds it by itself.
  for (std::size_t i = looking_; i < count; ++i) wake_.notify_one();
}

void ThreadPool::submit(std::function<void()> job) {
  std::lock_guard<std::mutex> lock(mutex_);
  jobs_.push_back(std::move(job));
  jobs_waiting_.store(jobs_.size(), std::memory_order_relaxed);
  const bool all_busy = sleeping_ + looking_ < jobs_.size();
  if (all_busy && !threads_.empty() && threads_.size() < 2 * default_threads() + 2) start_thread();
  wake(jobs_.size());
}

void ThreadPool::parallel_for(std::size_t count, unsigned threads,
                              const std::function<void(std::size_t)>& body) {
  parallel_for_slots(count, threads, [&body](std::size_t task, std::size_t) { body(task); });
}

void ThreadPool::parallel_for_slots(std::size_t count, unsigned threads,
                                    const std::function<void(std::size_t, std::size_t)>& body) {
  if (count == 0) return;
  const std::size_t helpers = std::min<std::size_t>({count, std::max(1u, threads), size() + 1u}) - 1;
  if (helpers == 0) {
    for (std::size_t task = 0; task < count; ++task) body(task, 0);
    return;
  }
  auto region = std::make_shared<Region>(count, helpers, body);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    list(region);
    wake(jobs_.size() + helpers);
  }
  while (region->work(0)) {
  }
  if (region->listed.load(std::memory_order_relaxed)) {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto own = std::find(regions_.begin(), regions_.end(), region);
    if (own != regions_.end()) {
      regions_.erase(own);
      region->listed.store(false, std::memory_order_relaxed);
      regions_waiting_.store(regions_.size(), std::memory_order_relaxed);
    }
  }
  region->wait();
}

unsigned ThreadPool::size() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return static_cast<unsigned>(threads_.size());
}

void ThreadPool::list(std::shared_ptr<Region> region) {
  region->listed.store(true, std::memory_order_relaxed);
  regions_.push_back(std::move(region));
  regions_waiting_.store(regions_.size(), std::memory_order_relaxed);
}

std::shared_ptr<ThreadPool::Region> ThreadPool::unlist() {
  std::shared_ptr<Region> region = std::move(regions_.front());
  regions_.pop_front();
  regions_waiting_.store(regions_.size(), std::memory_order_relaxed);
  region->listed.store(false, std::memory_order_relaxed);
  return region;
}

void ThreadPool::run() {
  lengthen_time_slice();
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    if (!jobs_.empty()) {
      begin_job(lock);
    } else if (!regions_.empty()) {
      help(lock);
    } else if (stopping_) {
      return;
    } else {
      wait_for_work(lock);
    }
  }
}

void ThreadPool::wait_for_work(std::unique_lock<std::mutex>& lock) {
  if (looking_ == 0) {
    looking_ = 1;
    lock.unlock();
    look(kLooking, [this] {
      return jobs_waiting_.load(std::memory_order_relaxed) != 0 ||
             regions_waiting_.load(std::memory_order_relaxed) != 0;
    });
    lock.lock();
    looking_ = 0;
  }
  ++sleeping_;
  wake_.wait(lock, [this] { return stopping_ || has_work(); });
  --sleeping_;
}

void ThreadPool::begin_job(std::unique_lock<std::mutex>& lock) {
  std::function<void()> job = std::move(jobs_.front());
  jobs_.pop_front();
  jobs_waiting_.store(jobs_.size(), std::memory_order_relaxed);
  lock.unlock();
  job();
  job = nullptr;
  lock.lock();
}

void ThreadPool::help(std::unique_lock<std::mutex>& lock) {
  const std::shared_ptr<Region> region = unlist();
  if (!region->has_tasks()) return;
  const std::size_t slot = region->free_slots.back();
  region->free_slots.pop_back();
  if (!region->free_slots.empty()) list(region);
  lock.unlock();
  while (region->work(slot)) {
    const std::size_t others = regions_waiting_.load(std::memory_order_relaxed) -
                               (region->listed.load(std::memory_order_relaxed) ? 1 : 0);
    if (jobs_waiting_.load(std::memory_order_relaxed) != 0 || others != 0) break;
  }
  lock.lock();
  region->free_slots.push_back(slot);
  if (region->has_tasks() && !region->listed.load(std::memory_order_relaxed)) list(region);
}

}  // namespace granule
