#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "backends/cuda/cuda_failure.h"

namespace granule::cuda {

/// A stream of its own.
class Stream {
 public:
  Stream() {
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "a stream could not be made");
  }
  ~Stream() { cudaStreamDestroy(stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  operator cudaStream_t() const { return stream_; }
  /// @throws CudaFailure also for what was put on the stream before
  void wait() const { check(cudaStreamSynchronize(stream_), "the device failed"); }

 private:
  cudaStream_t stream_ = nullptr;
};

/// Waits for a stream when it goes, also where an exception takes it: before what was declared earlier goes.
class WaitAtEnd {
 public:
  explicit WaitAtEnd(const Stream& stream) : stream_(stream) {}
  ~WaitAtEnd() { cudaStreamSynchronize(stream_); }
  WaitAtEnd(const WaitAtEnd&) = delete;
  WaitAtEnd& operator=(const WaitAtEnd&) = delete;

 private:
  cudaStream_t stream_;
};

/// A place in a stream that can be waited for.
class Event {
 public:
  Event() { check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "an event could not be made"); }
  ~Event() {
    if (event_ != nullptr) cudaEventDestroy(event_);
  }
  Event(Event&& other) noexcept { std::swap(event_, other.event_); }
  Event& operator=(Event&&) = delete;

  void record(cudaStream_t stream) const { check(cudaEventRecord(event_, stream), "the device failed"); }
  /// Until the stream has come to where it was recorded last; at once where it never was.
  ///
  /// @throws CudaFailure
  void wait() const { check(cudaEventSynchronize(event_), "the device failed"); }

 private:
  cudaEvent_t event_ = nullptr;
};

/// An array in device memory, taken and given back on a stream that does nothing else, so that no other work
/// waits for it. Whoever frees it has waited for the work that uses it.
template <typename T>
class DeviceArray {
 public:
  DeviceArray() = default;
  /// @throws CudaFailure
  DeviceArray(std::size_t count, const Stream& memory_stream) : count_(count), stream_(memory_stream) {
    if (count == 0) return;
    void* memory = nullptr;
    check(cudaMallocAsync(&memory, count * sizeof(T), stream_), "the device has not enough memory");
    data_ = static_cast<T*>(memory);
    // There for all streams from here on.
    check(cudaStreamSynchronize(stream_), "the device failed");
  }
  ~DeviceArray() {
    if (data_ != nullptr) cudaFreeAsync(data_, stream_);
  }
  DeviceArray(DeviceArray&& other) noexcept { *this = std::move(other); }
  DeviceArray& operator=(DeviceArray&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
    std::swap(stream_, other.stream_);
    return *this;
  }

  T* data() const { return data_; }
  std::size_t size() const { return count_; }
  std::size_t bytes() const { return count_ * sizeof(T); }

  /// At least `count` elements from now on; what it held is lost where it grows.
  void grow_to(std::size_t count, const Stream& memory_stream) {
    if (count <= count_) return;
    *this = DeviceArray();
    *this = DeviceArray(count + count / 4, memory_stream);
  }

 private:
  T* data_ = nullptr;
  std::size_t count_ = 0;
  cudaStream_t stream_ = nullptr;
};

/// An array in memory of the host that a device copies from and to by itself.
template <typename T>
class PinnedArray {
 public:
  PinnedArray() = default;
  ~PinnedArray() {
    if (data_ != nullptr) cudaFreeHost(data_);
  }
  PinnedArray(const PinnedArray&) = delete;
  PinnedArray& operator=(const PinnedArray&) = delete;

  T* data() const { return data_; }

  /// At least `count` elements from now on; what it held is lost where it grows. No device uses it now.
  ///
  /// @throws CudaFailure
  void grow_to(std::size_t count) {
    if (count <= count_) return;
    if (data_ != nullptr) cudaFreeHost(data_);
    data_ = nullptr;
    count_ = 0;
    const std::size_t wanted = count + count / 4;
    void* memory = nullptr;
    check(cudaHostAlloc(&memory, wanted * sizeof(T), cudaHostAllocDefault), "there is not enough memory");
    data_ = static_cast<T*>(memory);
    count_ = wanted;
  }

 private:
  T* data_ = nullptr;
  std::size_t count_ = 0;
};

/// Memory of the host that a device copies from and to by itself, handed out piece by piece and taken back at
/// once.
class PinnedArena {
 public:
  PinnedArena() = default;
  ~PinnedArena() {
    for (const Block& block : blocks_) cudaFreeHost(block.memory);
  }
  PinnedArena(const PinnedArena&) = delete;
  PinnedArena& operator=(const PinnedArena&) = delete;

  /// Room that stays until `reset`.
  /// @throws CudaFailure
  template <typename T>
  T* take(std::size_t count) {
    const std::size_t bytes = (count * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
    if (blocks_.empty() || used_ + bytes > blocks_.back().bytes) {
      const std::size_t wanted = std::max(bytes, kLeastBlock);
      void* memory = nullptr;
      check(cudaHostAlloc(&memory, wanted, cudaHostAllocDefault), "there is not enough memory");
      blocks_.push_back({static_cast<unsigned char*>(memory), wanted});
      used_ = 0;
    }
    unsigned char* const at = blocks_.back().memory + used_;
    used_ += bytes;
    return reinterpret_cast<T*>(at);
  }

  /// Nothing that was taken is used any more.
  void reset() {
    // The largest serves the next search.
    while (blocks_.size() > 1) {
      Block& other = blocks_[blocks_.size() - 2];
      if (other.bytes > blocks_.back().bytes) std::swap(other, blocks_.back());
      cudaFreeHost(other.memory);
      blocks_.erase(blocks_.end() - 2);
    }
    used_ = 0;
  }

 private:
  static constexpr std::size_t kAlignment = 256;
  static constexpr std::size_t kLeastBlock = std::size_t{1} << 20;

  struct Block {
    unsigned char* memory;
    std::size_t bytes;
  };
  std::vector<Block> blocks_;
  std::size_t used_ = 0;
};

}  // namespace granule::cuda
