#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <utility>
#include <vector>

#include "backends/cuda/cuda_failure.h"
#include "backends/cuda/snapshot_tables.h"

namespace granule::cuda {

/// Work of a stream that was recorded once and is put there again by one call.
class Graph {
 public:
  Graph() = default;
  ~Graph() {
    if (exec_ != nullptr) cudaGraphExecDestroy(exec_);
  }
  Graph(Graph&& other) noexcept { std::swap(exec_, other.exec_); }
  Graph& operator=(Graph&&) = delete;

  /// Records what `work` puts on the stream, which has nothing to do; nothing of it happens. It may neither
  /// wait nor take memory.
  ///
  /// @throws CudaFailure, and what `work` throws
  template <typename Work>
  void capture(cudaStream_t stream, const Work& work) {
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "a search could not be recorded");
    cudaGraph_t graph = nullptr;
    try {
      work();
    } catch (...) {
      if (cudaStreamEndCapture(stream, &graph) == cudaSuccess) cudaGraphDestroy(graph);
      cudaGetLastError();
      throw;
    }
    check(cudaStreamEndCapture(stream, &graph), "a search could not be recorded");
    const cudaError_t error = cudaGraphInstantiate(&exec_, graph, 0);
    cudaGraphDestroy(graph);
    check(error, "a search could not be recorded");
  }

  bool captured() const { return exec_ != nullptr; }

  /// @throws CudaFailure
  void launch(cudaStream_t stream) const { check(cudaGraphLaunch(exec_, stream), "the search failed"); }

 private:
  cudaGraphExec_t exec_ = nullptr;
};

/// Everything that a recorded scan has been made with, beside the tables: a scan that differs in any of it is
/// another.
struct ScanShape {
  uint32_t query_count;
  uint32_t k;
  unsigned planes;
  bool filtered;
  std::size_t sent_bytes;
  /// Addresses that the scan reads and writes.
  const void* sent;
  const void* received;
  const void* candidates[2];
  const void* found;
  const void* returned;

  bool operator==(const ScanShape&) const = default;
};

/// The scans that a workspace has recorded. The addresses in them are of the workspace and of tables; those
/// of tables that are gone are dropped.
class ScanGraphs {
 public:
  /// @return the graphs of the scan, to be captured where that has not been done; null where it has not run
  /// before: kernels are loaded when they first run, which cannot be recorded, and a search of a snapshot
  /// that soon changes is not worth it
  std::vector<Graph>* find(const std::shared_ptr<const SnapshotTables>& tables, const ScanShape& shape);

  /// To be told that the scan has run, in so many parts.
  void add(const std::shared_ptr<const SnapshotTables>& tables, const ScanShape& shape, std::size_t parts);

 private:
  struct Entry {
    std::weak_ptr<const SnapshotTables> tables;
    ScanShape shape;
    std::vector<Graph> graphs;
  };
  /// The last used first.
  std::list<Entry> entries_;
};

}  // namespace granule::cuda
