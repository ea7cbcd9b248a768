#pragma once

#include <cuda_runtime.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "backends/cuda/batch_scan.h"
#include "backends/cuda/cuda_failure.h"
#include "backends/cuda/resident_segments.h"
#include "backends/cuda/snapshot_tables.h"
#include "backends/cuda/workspace.h"

namespace granule::cuda {

/// A device, the segments that it holds, and workspaces for searches.
///
/// Some errors are for good: after a kernel's bad access, or an error of the memory itself, every call of the
/// process for that device fails until the process ends. The device is lost then, and a search that needs it
/// fails at once. Nothing else is lost: destructors and releases ask nothing of it.
class Device {
 public:
  /// @throws CudaFailure
  explicit Device(int ordinal);
  ~Device();

  /// Makes it the calling thread's device.
  ///
  /// @throws CudaFailure, also where it is lost
  void use() const;

  /// To be told of a failure of its work: finds out whether the device is lost, and makes room where its
  /// memory was used up.
  void note_failure(const CudaFailure& failure);

  unsigned multiprocessors() const { return static_cast<unsigned>(properties_.multiProcessorCount); }
  std::size_t shared_memory_of_block() const { return properties_.sharedMemPerBlockOptin; }
  /// Bytes that a scan reads in some milliseconds at most, after which it looks whether it is to stop.
  uint64_t bytes_between_looks() const { return bytes_between_looks_; }
  const BatchScan& batch_scan() const { return *batch_scan_; }

  /// The segments, which are brought to the device where they are not there, and where to find their rows.
  ///
  /// @throws CudaFailure, Damaged
  std::shared_ptr<const SnapshotTables> tables(const granule_search& search,
                                               const std::vector<const granule_segment*>& segments,
                                               bool list_rows);

  /// No later search will show the segment. With the last one the memory that searches worked with goes too.
  void release_segment(uint64_t id);

  /// A workspace for one search. It comes back when the pointer goes, once all that was put on its stream has
  /// happened; where that cannot be waited for, it is given up.
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

  /// @throws CudaFailure
  Lease lease();

 private:
  void take_back(std::unique_ptr<Workspace> workspace);
  void drop_idle_workspaces();

  const int ordinal_;
  cudaDeviceProp properties_{};
  uint64_t bytes_between_looks_;
  /// What it was lost by.
  std::atomic<cudaError_t> loss_{cudaSuccess};
  std::unique_ptr<Stream> probe_;
  std::unique_ptr<BatchScan> batch_scan_;
  std::unique_ptr<ResidentSegments> segments_;
  std::unique_ptr<SnapshotTableStore> tables_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> idle_;
};

}  // namespace granule::cuda
