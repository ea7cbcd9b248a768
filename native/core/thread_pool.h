#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace granule {

/// Threads of our own: libuv's pool stays free for files and sockets. A job is one call (a search, an add);
/// inside it `parallel_for` borrows idle threads. Jobs and requests for help wait in one queue, first come,
/// first served, so that concurrent searches share the threads.
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

  unsigned size() const;

  /// Runs what is queued, then joins; nothing may be submitted afterwards. Cancel jobs beforehand to make it
  /// quick. Must not be called from a job.
  void stop();

 private:
  void run();

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  std::vector<std::thread> threads_;
  bool stopping_ = false;
};

}  // namespace granule
