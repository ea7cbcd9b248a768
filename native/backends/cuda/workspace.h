#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "backends/cuda/device_memory.h"
#include "backends/cuda/device_types.h"
#include "backends/cuda/document_arguments.h"
#include "backends/cuda/scan_graphs.h"

namespace granule::cuda {

/// What one search works with on a device; kept for the next.
struct Workspace {
  Stream memory_stream;
  Stream stream;
  PinnedArena pinned;
  DeviceArray<uint8_t> filter;
  DeviceArray<float> queries;
  DeviceArray<double> query_squared_norms;
  DeviceArray<int8_t> query_codes;
  DeviceArray<ScanQuery> scan_queries;
  DeviceArray<uint32_t> thresholds;
  DeviceArray<uint32_t> counts[2];
  DeviceArray<Candidate> candidates[2];
  DeviceArray<float> scores;
  // Of small batches (small_batch.h): what goes to the device and what comes back, at fixed places.
  PinnedArray<unsigned char> sent;
  DeviceArray<unsigned char> received;
  DeviceArray<unsigned char> found;
  PinnedArray<unsigned char> returned;
  ScanGraphs graphs;
  // Of searches over documents.
  DeviceArray<uint32_t> candidate_rows;
  DeviceArray<DocumentQuery> document_queries;
  DeviceArray<float> bounds;
  DeviceArray<uint32_t> places;

  /// Copies to the device through pinned memory, which the caller may not wait for.
  template <typename T>
  void upload(const T* from, std::size_t count, DeviceArray<T>* to) {
    if (count == 0) return;
    to->grow_to(count, memory_stream);
    T* const staged = pinned.take<T>(count);
    std::memcpy(staged, from, count * sizeof(T));
    check(cudaMemcpyAsync(to->data(), staged, count * sizeof(T), cudaMemcpyHostToDevice, stream),
          "a copy to the device failed");
  }

  /// Copies to pinned memory, where it is once the stream has been waited for.
  template <typename T>
  const T* download(const T* from, std::size_t count) {
    T* const out = pinned.take<T>(count);
    check(cudaMemcpyAsync(out, from, count * sizeof(T), cudaMemcpyDeviceToHost, stream),
          "a copy from the device failed");
    return out;
  }
};

}  // namespace granule::cuda
