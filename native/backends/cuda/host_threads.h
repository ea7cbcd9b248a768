#pragma once

#include <cstddef>
#include <exception>
#include <system_error>
#include <thread>
#include <vector>

namespace granule::cuda {

/// Calls work(t) for each t below `count`, at the same time where the system gives the threads; rethrows the
/// first exception when all have ended.
template <typename Work>
void run_on_threads(std::size_t count, const Work& work) {
  std::vector<std::exception_ptr> failures(count);
  const auto run = [&](std::size_t t) {
    try {
      work(t);
    } catch (...) {
      failures[t] = std::current_exception();
    }
  };
  std::vector<std::thread> threads;
  threads.reserve(count);
  std::size_t started = 1;
  try {
    for (; started < count; ++started) threads.emplace_back(run, started);
  } catch (const std::system_error&) {
    // This thread does the others' work too.
  }
  if (count != 0) run(0);
  for (std::size_t t = started; t < count; ++t) run(t);
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace granule::cuda
