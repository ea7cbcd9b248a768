#include "machine.h"

namespace cuda_emulator {
namespace {

thread_local cudaError_t last_error = cudaSuccess;
thread_local int chosen_device = 0;

bool lies_in(const std::map<const void*, std::size_t>& ranges, const void* memory, std::size_t bytes) {
  auto after = ranges.upper_bound(memory);
  if (after == ranges.begin()) return false;
  --after;
  return static_cast<const char*>(memory) + bytes <= static_cast<const char*>(after->first) + after->second;
}

}  // namespace

Settings& settings() {
  static Settings instance;
  return instance;
}

Traffic& traffic() {
  static Traffic instance;
  return instance;
}

Machine& machine() {
  static Machine instance;
  return instance;
}

cudaError_t report(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

cudaError_t error_of_device(int device) {
  const bool lost = (settings().lost_devices.load() >> device & 1u) != 0;
  return lost ? report(static_cast<cudaError_t>(settings().loss)) : cudaSuccess;
}

int current_device() { return chosen_device; }

void count_object(int change) {
  const std::lock_guard<std::mutex> lock(machine().mutex);
  machine().objects += static_cast<std::size_t>(change);
}

bool is_pinned(const void* memory, std::size_t bytes) {
  const std::lock_guard<std::mutex> lock(machine().mutex);
  return lies_in(machine().pinned, memory, bytes) || lies_in(machine().registered, memory, bytes);
}

void Stream::put(std::function<void()> work, bool whatever_happens) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (capturing_) {
    captured_.push_back(std::move(work));
  } else {
    work_.push_back({std::move(work), whatever_happens});
  }
}

void Stream::run() {
  const std::lock_guard<std::recursive_mutex> running(running_);
  for (;;) {
    Item item;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (work_.empty()) return;
      item = std::move(work_.front());
      work_.pop_front();
    }
    if (item.whatever_happens || error_of_device(device) == cudaSuccess) item.work();
  }
}

bool Stream::empty() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return work_.empty();
}

cudaError_t Stream::begin_capture() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (capturing_) return report(cudaErrorInvalidValue);
  capturing_ = true;
  spoilt_ = false;
  captured_.clear();
  return cudaSuccess;
}

bool Stream::end_capture(std::vector<std::function<void()>>* work) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!capturing_) return false;
  capturing_ = false;
  *work = std::move(captured_);
  captured_.clear();
  return !spoilt_;
}

bool Stream::spoil_capture() {
  const std::lock_guard<std::mutex> lock(mutex_);
  spoilt_ = spoilt_ || capturing_;
  return capturing_;
}

}  // namespace cuda_emulator

using namespace cuda_emulator;

cudaError_t cudaGetLastError() { return std::exchange(last_error, cudaSuccess); }
cudaError_t cudaPeekAtLastError() { return last_error; }

cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= settings().devices) return report(cudaErrorInvalidValue);
  chosen_device = device;
  return error_of_device(device);
}

cudaError_t cudaGetDevice(int* device) {
  *device = chosen_device;
  return cudaSuccess;
}

// For tests, which load the library that this is a part of.
extern "C" {
__attribute__((visibility("default"))) cuda_emulator::Settings* cuda_emulator_settings() {
  return &settings();
}
__attribute__((visibility("default"))) cuda_emulator::Traffic* cuda_emulator_traffic() { return &traffic(); }
__attribute__((visibility("default"))) std::size_t cuda_emulator_memory_in_use() {
  const std::lock_guard<std::mutex> lock(machine().mutex);
  std::size_t sum = 0;
  for (const auto& [device, bytes] : machine().used) sum += bytes;
  return sum;
}
__attribute__((visibility("default"))) std::size_t cuda_emulator_objects_in_use() {
  const std::lock_guard<std::mutex> lock(machine().mutex);
  return machine().objects + machine().pinned.size() + machine().registered.size();
}
}
