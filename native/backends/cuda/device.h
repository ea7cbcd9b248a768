#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "backends/cuda/batch_scan.h"
#include "backends/cuda/device_memory.h"
#include "backends/cuda/device_types.h"
#include "backends/cuda/document_arguments.h"
#include "backends/cuda/resident_segments.h"

namespace granule::cuda {

/// What one search works with on a device; kept for the next.
struct Workspace {
  Stream memory_stream;
  Stream stream;
  PinnedArena pinned;
  DeviceArray<SegmentView> segments;
  DeviceArray<uint32_t> segment_of_tile;
  DeviceArray<uint8_t> filter;
  DeviceArray<float> queries;
  DeviceArray<double> query_squared_norms;
  DeviceArray<int8_t> query_codes;
  DeviceArray<ScanQuery> scan_queries;
  DeviceArray<uint32_t> thresholds;
  DeviceArray<uint32_t> counts[2];
  DeviceArray<Candidate> candidates[2];
  DeviceArray<float> scores;
  // Of searches over documents.
  DeviceArray<uint32_t> rows;
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

/// A device, the segments that it holds, and workspaces for searches.
class Device {
 public:
  explicit Device(int ordinal) : ordinal_(ordinal) {
    use();
    check(cudaGetDeviceProperties(&properties_, ordinal), "the device's properties are unknown");
    batch_scan_ = std::make_unique<BatchScan>(properties_);
    segments_ = std::make_unique<ResidentSegments>();
  }
  ~Device() {
    cudaSetDevice(ordinal_);
    idle_.clear();
    segments_.reset();
  }

  /// Makes it the calling thread's device.
  void use() const { check(cudaSetDevice(ordinal_), "the device could not be used"); }

  const cudaDeviceProp& properties() const { return properties_; }
  unsigned multiprocessors() const { return static_cast<unsigned>(properties_.multiProcessorCount); }
  std::size_t shared_memory_of_block() const { return properties_.sharedMemPerBlockOptin; }
  ResidentSegments& segments() { return *segments_; }
  const BatchScan& batch_scan() const { return *batch_scan_; }

  /// A workspace for one search; it comes back when the pointer goes, unless the search failed.
  class Lease {
   public:
    Lease(Device* device, std::unique_ptr<Workspace> workspace)
        : device_(device), workspace_(std::move(workspace)) {}
    ~Lease() {
      if (workspace_ != nullptr) device_->take_back(std::move(workspace_));
    }
    Lease(Lease&&) = default;
    Workspace& operator*() const { return *workspace_; }
    Workspace* operator->() const { return workspace_.get(); }

   private:
    Device* device_;
    std::unique_ptr<Workspace> workspace_;
  };

  Lease lease() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!idle_.empty()) {
        std::unique_ptr<Workspace> workspace = std::move(idle_.back());
        idle_.pop_back();
        return {this, std::move(workspace)};
      }
    }
    return {this, std::make_unique<Workspace>()};
  }

 private:
  void take_back(std::unique_ptr<Workspace> workspace) {
    // What was put on the stream may still read pinned memory, also after an exception.
    cudaStreamSynchronize(workspace->stream);
    workspace->pinned.reset();
    const std::lock_guard<std::mutex> lock(mutex_);
    idle_.push_back(std::move(workspace));
  }

  const int ordinal_;
  cudaDeviceProp properties_{};
  std::unique_ptr<BatchScan> batch_scan_;
  std::unique_ptr<ResidentSegments> segments_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> idle_;
};

}  // namespace granule::cuda
