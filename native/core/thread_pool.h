#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace granule {

/// Threads of our own: libuv's pool stays free for files and sockets. A job is one call (a search, an add);
/// inside it `parallel_for` borrows idle threads.
///
/// Jobs share the threads fairly: a thread that helps a job looks between two tasks whether another job waits
/// to begin, or wants help too; and where every thread has a job of its own, one more thread is started for
/// the next, up to twice the number of cores and two. So a short call does not wait for a long one to end.
///
/// A thread that runs out of work looks for more for some tens of microseconds before it sleeps, one thread
/// at a time: waking one costs about as much as a search of a small index.
class ThreadPool {
 public:
  ThreadPool() = default;
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// One per core, at least one.
  static unsigned default_threads();

  /// Starts threads until there are `threads`; fewer run where the system refuses more.
  /// @throws std::system_error when not even one can be started
  void grow_to(unsigned threads);

  /// Queues a job. It must not throw.
  void submit(std::function<void()> job);

  /// Calls body(0) ... body(count - 1), each once, on the calling thread and on up to `threads` - 1 others;
  /// returns when all have returned. Works from inside a job and, with no threads started, on the calling
  /// thread alone.
  /// @throws the first exception of a body; tasks not begun by then are skipped
  void parallel_for(std::size_t count, unsigned threads, const std::function<void(std::size_t)>& body);

  /// As parallel_for, with body(task, slot): slot is below `threads`, no two tasks run at once with the same
  /// one, and the tasks of a slot come in ascending order. So a body may keep what it gathers by slot.
  void parallel_for_slots(std::size_t count, unsigned threads,
                          const std::function<void(std::size_t, std::size_t)>& body);

  unsigned size() const;

  /// Runs what is queued, then joins; nothing may be submitted afterwards. Cancel jobs beforehand to make it
  /// quick. Must not be called from a job.
  void stop();

 private:
  struct Region;

  // All with the lock held; those that take it let go of it meanwhile.
  bool has_work() const { return !jobs_.empty() || !regions_.empty(); }
  void list(std::shared_ptr<Region> region);
  std::shared_ptr<Region> unlist();
  void wake(std::size_t count);
  bool start_thread();
  void run();
  void wait_for_work(std::unique_lock<std::mutex>& lock);
  void begin_job(std::unique_lock<std::mutex>& lock);
  void help(std::unique_lock<std::mutex>& lock);

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  /// Those that want help, in the order in which they get it.
  std::deque<std::shared_ptr<Region>> regions_;
  std::vector<std::thread> threads_;
  std::size_t sleeping_ = 0;
  /// Threads that look for work: 0 or 1.
  std::size_t looking_ = 0;
  bool stopping_ = false;
  /// The sizes of the two queues, for a look without the lock.
  std::atomic<std::size_t> jobs_waiting_{0};
  std::atomic<std::size_t> regions_waiting_{0};
};

}  // namespace granule
