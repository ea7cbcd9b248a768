#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "backends/backend.h"
#include "backends/cuda/device.h"
#include "backends/cuda/host_threads.h"

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
  run_on_threads(devices.size(), [&](std::size_t d) {
    try {
      devices[d]->use();
      work(d);
    } catch (const CudaFailure& failure) {
      devices[d]->note_failure(failure);
      throw;
    }
  });
}

}  // namespace granule::cuda
