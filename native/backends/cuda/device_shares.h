#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

#include "backends/backend.h"
#include "backends/cuda/device.h"

namespace granule::cuda {

/// The device, among so many, that holds a segment: it never changes.
inline std::size_t device_of_segment(uint64_t id, std::size_t devices) { return id % devices; }

/// The segments of a search by device, each with ascending rows.
inline std::vector<std::vector<const granule_segment*>> divide_segments(const granule_search& search,
                                                                        std::size_t devices) {
  std::vector<std::vector<const granule_segment*>> out(devices);
  for (uint64_t s = 0; s < search.segment_count; ++s)
    out[device_of_segment(search.segments[s].id, devices)].push_back(&search.segments[s]);
  return out;
}

/// Calls work(d) for each device, all at once, on a thread that uses it; rethrows the first exception.
template <typename Work>
void for_each_device(const std::vector<std::unique_ptr<Device>>& devices, const Work& work) {
  std::vector<std::exception_ptr> failures(devices.size());
  const auto run = [&](std::size_t d) {
    try {
      devices[d]->use();
      work(d);
    } catch (const CudaFailure& failure) {
      failures[d] = std::current_exception();
      devices[d]->note_failure(failure);
    } catch (...) {
      failures[d] = std::current_exception();
    }
  };
  std::vector<std::thread> threads;
  std::size_t started = 1;
  try {
    for (; started < devices.size(); ++started) threads.emplace_back(run, started);
  } catch (const std::system_error&) {
    // This thread does the others' work too.
  }
  run(0);
  for (std::size_t d = started; d < devices.size(); ++d) run(d);
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace granule::cuda
