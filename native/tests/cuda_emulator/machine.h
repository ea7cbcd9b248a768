// The emulated machine's state and its streams, for the files that implement the runtime.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "cuda_runtime.h"

namespace cuda_emulator {

/// What the devices hold, under one lock.
struct Machine {
  std::mutex mutex;
  std::map<void*, std::pair<std::size_t, int>> allocations;
  std::map<int, std::size_t> used;
  std::map<const void*, std::size_t> registered;
  std::map<const void*, std::size_t> pinned;
  /// Bytes of dynamic shared memory that kernels may have, by device.
  std::map<std::pair<int, const void*>, std::size_t> shared_memory;
  std::size_t objects = 0;
  bool fails = false;
};

Machine& machine();

/// Keeps an error for cudaGetLastError, and gives it back.
cudaError_t report(cudaError_t error);

/// The error that every call for a lost device gives; success for others.
cudaError_t error_of_device(int device);

int current_device();

/// One stream, event, graph more, or one less.
void count_object(int change);

/// What waits to happen, in order. A host thread that waits does it.
class Stream {
 public:
  explicit Stream(int device_of_stream) : device(device_of_stream) {}

  /// @param whatever_happens also on a device that is lost
  void put(std::function<void()> work, bool whatever_happens = false);
  void run();
  bool empty();

  /// From here on what is put becomes part of a graph.
  cudaError_t begin_capture();
  /// @return false where the capture was spoilt
  bool end_capture(std::vector<std::function<void()>>* work);
  /// A stream that is captured cannot be waited for, and the attempt spoils the capture.
  bool spoil_capture();

  const int device;

 private:
  struct Item {
    std::function<void()> work;
    bool whatever_happens;
  };
  std::mutex mutex_;
  std::recursive_mutex running_;
  std::deque<Item> work_;
  bool capturing_ = false;
  bool spoilt_ = false;
  std::vector<std::function<void()>> captured_;
};

/// Whether the memory is the device's to read by itself: pinned, registered or its own.
bool is_pinned(const void* memory, std::size_t bytes);

}  // namespace cuda_emulator
