#include "backends/cuda/device.h"

#include <string>

namespace granule::cuda {
namespace {

constexpr uint64_t kMillisecondsBetweenLooks = 4;
/// Of a device that does not say how fast its memory is: that of a fast one in as many milliseconds.
constexpr uint64_t kLikelyBytesBetweenLooks = uint64_t{4} << 30;
/// Workspaces that wait for searches; where more run at a time, some make theirs anew.
constexpr std::size_t kMostIdle = 8;

uint64_t bytes_between_looks_of(int ordinal) {
  int kilohertz = 0;
  int bits = 0;
  cudaDeviceGetAttribute(&kilohertz, cudaDevAttrMemoryClockRate, ordinal);
  cudaDeviceGetAttribute(&bits, cudaDevAttrGlobalMemoryBusWidth, ordinal);
  cudaGetLastError();
  if (kilohertz <= 0 || bits <= 0) return kLikelyBytesBetweenLooks;
  // A word as wide as the bus with both edges of a clock.
  return kMillisecondsBetweenLooks * static_cast<uint64_t>(kilohertz) * static_cast<uint64_t>(bits) / 4;
}

}  // namespace

Device::Device(int ordinal) : ordinal_(ordinal), bytes_between_looks_(bytes_between_looks_of(ordinal)) {
  use();
  check(cudaGetDeviceProperties(&properties_, ordinal), "the device's properties are unknown");
  batch_scan_ = std::make_unique<BatchScan>(properties_);
  probe_ = std::make_unique<Stream>();
  segments_ = std::make_unique<ResidentSegments>();
  tables_ = std::make_unique<SnapshotTableStore>();
}

Device::~Device() {
  cudaSetDevice(ordinal_);
  idle_.clear();
  tables_.reset();
  segments_.reset();
  probe_.reset();
  cudaGetLastError();
}

void Device::use() const {
  if (const cudaError_t loss = loss_.load(); loss != cudaSuccess) {
    throw CudaFailure(loss, "CUDA device " + std::to_string(ordinal_) +
                                " was lost and is there again when the process has been restarted; device "
                                "'cpu' still answers");
  }
  check(cudaSetDevice(ordinal_), "the device could not be used");
}

void Device::note_failure(const CudaFailure& failure) {
  // An error that is for good is every call's. Nothing is ever put on this stream.
  cudaSetDevice(ordinal_);
  const cudaError_t error = cudaStreamSynchronize(*probe_);
  cudaGetLastError();
  if (error != cudaSuccess) loss_ = error;
  if (error != cudaSuccess || failure.error == cudaErrorMemoryAllocation) drop_idle_workspaces();
}

std::shared_ptr<const SnapshotTables> Device::tables(const granule_search& search,
                                                     const std::vector<const granule_segment*>& segments,
                                                     bool list_rows) {
  return tables_->get(*segments_, search, segments, list_rows);
}

void Device::release_segment(uint64_t id) {
  cudaSetDevice(ordinal_);
  tables_->release(id);
  if (segments_->release(id)) drop_idle_workspaces();
  cudaGetLastError();
}

Device::Lease Device::lease() {
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

void Device::take_back(std::unique_ptr<Workspace> workspace) {
  // What was put on the stream may still read pinned memory, also after an exception.
  if (cudaStreamSynchronize(workspace->stream) != cudaSuccess) {
    cudaGetLastError();
    return;
  }
  workspace->pinned.reset();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (idle_.size() < kMostIdle) idle_.push_back(std::move(workspace));
}

void Device::drop_idle_workspaces() {
  std::vector<std::unique_ptr<Workspace>> dropped;
  const std::lock_guard<std::mutex> lock(mutex_);
  dropped.swap(idle_);
}

}  // namespace granule::cuda
