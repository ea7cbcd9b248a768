#include "cuda_runtime.h"

#include <atomic>
#include <cstdlib>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <utility>

namespace cuda_emulator {
namespace {

/// What the devices hold, under one lock.
struct Machine {
  std::mutex mutex;
  std::map<void*, std::pair<std::size_t, int>> allocations;
  std::map<int, std::size_t> used;
  std::set<void*> registered;
  std::size_t objects = 0;
  bool lost = false;
};

Machine& machine() {
  static Machine instance;
  return instance;
}

thread_local int current_device = 0;
thread_local cudaError_t last_error = cudaSuccess;

cudaError_t report(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

/// Memory that nobody has written: NaN, and no sensible integer.
constexpr int kNoise = 0xff;

constexpr std::size_t kSharedBytesOfBlock = std::size_t{227} << 10;

}  // namespace

Settings& settings() {
  static Settings instance;
  return instance;
}

std::size_t memory_in_use() {
  std::lock_guard<std::mutex> lock(machine().mutex);
  std::size_t sum = 0;
  for (const auto& [device, bytes] : machine().used) sum += bytes;
  return sum;
}

std::size_t objects_in_use() {
  std::lock_guard<std::mutex> lock(machine().mutex);
  return machine().objects;
}

/// What waits to happen, in order. A host thread that waits does it.
class Stream {
 public:
  void put(std::function<void()> work) {
    std::lock_guard<std::mutex> lock(mutex_);
    work_.push_back(std::move(work));
  }

  void run() {
    std::lock_guard<std::recursive_mutex> running(running_);
    for (;;) {
      std::function<void()> work;
      {
        std::lock_guard<std::mutex> lock(mutex_);
        if (work_.empty()) return;
        work = std::move(work_.front());
        work_.pop_front();
      }
      work();
    }
  }

  bool empty() {
    std::lock_guard<std::mutex> lock(mutex_);
    return work_.empty();
  }

 private:
  std::mutex mutex_;
  std::recursive_mutex running_;
  std::deque<std::function<void()>> work_;
};

class Event {
 public:
  std::atomic<bool> done{true};
  std::atomic<Stream*> stream{nullptr};

  void wait() {
    if (Stream* const on = stream.load(); on != nullptr && !done.load()) on->run();
  }
};

cudaError_t launch(Dim3 grid, Dim3 block, std::size_t shared_bytes, cudaStream_t stream,
                   std::function<void()> body) {
  const std::size_t threads = std::size_t{block.x} * block.y * block.z;
  if (threads == 0 || threads > 1024 || threads % kWarp != 0) return report(cudaErrorInvalidValue);
  if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.y > 65535 || grid.z > 65535 || grid.x > 0x7fffffffu)
    return report(cudaErrorInvalidValue);
  if (shared_bytes > kSharedBytesOfBlock) return report(cudaErrorInvalidValue);
  {
    std::lock_guard<std::mutex> lock(machine().mutex);
    int64_t& left = settings().launches_until_failure;
    if (left == 0) machine().lost = true;
    if (left > 0) --left;
    // As on a device: after a failure nothing works any more.
    if (machine().lost && left < 0) machine().lost = false;
    if (machine().lost) return report(cudaErrorLaunchFailure);
  }
  stream->put([=] { run_grid(grid, block, shared_bytes, body); });
  return cudaSuccess;
}

}  // namespace cuda_emulator

using namespace cuda_emulator;

const char* cudaGetErrorName(cudaError_t error) { return cudaGetErrorString(error); }

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "no error";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorNoDevice:
      return "no CUDA-capable device is detected";
    case cudaErrorLaunchFailure:
      return "unspecified launch failure";
    case cudaErrorNotReady:
      return "device not ready";
    default:
      return "invalid argument";
  }
}

cudaError_t cudaGetLastError() { return std::exchange(last_error, cudaSuccess); }
cudaError_t cudaPeekAtLastError() { return last_error; }

cudaError_t cudaGetDeviceCount(int* count) {
  *count = settings().devices;
  return settings().devices == 0 ? report(cudaErrorNoDevice) : cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (device < 0 || device >= settings().devices) return report(cudaErrorInvalidValue);
  *properties = {};
  std::strcpy(properties->name, "emulated device");
  properties->totalGlobalMem = settings().memory_bytes;
  properties->sharedMemPerBlockOptin = kSharedBytesOfBlock;
  properties->multiProcessorCount = settings().multiprocessors;
  properties->major = settings().major;
  properties->minor = settings().minor;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr, int) {
  *value = 1;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= settings().devices) return report(cudaErrorInvalidValue);
  current_device = device;
  return cudaSuccess;
}

cudaError_t cudaGetDevice(int* device) {
  *device = current_device;
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  std::lock_guard<std::mutex> lock(machine().mutex);
  *total = settings().memory_bytes;
  const std::size_t used = machine().used[current_device];
  *free = *total > used ? *total - used : 0;
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = 13000;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = 13000;
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = new Stream;
  std::lock_guard<std::mutex> lock(machine().mutex);
  ++machine().objects;
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  stream->run();
  delete stream;
  std::lock_guard<std::mutex> lock(machine().mutex);
  --machine().objects;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  stream->run();
  return cudaSuccess;
}

cudaError_t cudaStreamQuery(cudaStream_t stream) { return stream->empty() ? cudaSuccess : cudaErrorNotReady; }

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  stream->put([event] { event->wait(); });
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new Event;
  std::lock_guard<std::mutex> lock(machine().mutex);
  ++machine().objects;
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  event->wait();
  delete event;
  std::lock_guard<std::mutex> lock(machine().mutex);
  --machine().objects;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  event->stream = stream;
  event->done = false;
  stream->put([event] { event->done = true; });
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  event->wait();
  return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t event) { return event->done ? cudaSuccess : cudaErrorNotReady; }

cudaError_t cudaMallocAsync(void** memory, std::size_t bytes, cudaStream_t stream) {
  // What was freed on the stream before is there again.
  stream->run();
  std::lock_guard<std::mutex> lock(machine().mutex);
  std::size_t& used = machine().used[current_device];
  if (used + bytes > settings().memory_bytes) return report(cudaErrorMemoryAllocation);
  *memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  std::memset(*memory, kNoise, bytes);
  machine().allocations[*memory] = {bytes, current_device};
  used += bytes;
  return cudaSuccess;
}

cudaError_t cudaFreeAsync(void* memory, cudaStream_t stream) {
  stream->put([memory] {
    std::lock_guard<std::mutex> lock(machine().mutex);
    const auto found = machine().allocations.find(memory);
    if (found == machine().allocations.end()) std::abort();
    machine().used[found->second.second] -= found->second.first;
    std::memset(memory, kNoise, found->second.first);
    machine().allocations.erase(found);
    std::free(memory);
  });
  return cudaSuccess;
}

cudaError_t cudaHostAlloc(void** memory, std::size_t bytes, unsigned) {
  *memory = std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  if (*memory == nullptr) return report(cudaErrorMemoryAllocation);
  std::memset(*memory, kNoise, bytes);
  return cudaSuccess;
}

cudaError_t cudaFreeHost(void* memory) {
  std::free(memory);
  return cudaSuccess;
}

cudaError_t cudaHostRegister(void* memory, std::size_t, unsigned) {
  std::lock_guard<std::mutex> lock(machine().mutex);
  return machine().registered.insert(memory).second ? cudaSuccess
                                                    : report(cudaErrorHostMemoryAlreadyRegistered);
}

cudaError_t cudaHostUnregister(void* memory) {
  std::lock_guard<std::mutex> lock(machine().mutex);
  return machine().registered.erase(memory) == 1 ? cudaSuccess : report(cudaErrorInvalidValue);
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind,
                            cudaStream_t stream) {
  stream->put([=] { std::memcpy(to, from, bytes); });
  return cudaSuccess;
}

cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch,
                              std::size_t width, std::size_t height, cudaMemcpyKind, cudaStream_t stream) {
  stream->put([=] {
    for (std::size_t row = 0; row < height; ++row) {
      std::memcpy(static_cast<char*>(to) + row * to_pitch, static_cast<const char*>(from) + row * from_pitch,
                  width);
    }
  });
  return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void* memory, int value, std::size_t bytes, cudaStream_t stream) {
  stream->put([=] { std::memset(memory, value, bytes); });
  return cudaSuccess;
}

// For tests, which load the library that this is a part of.
extern "C" {
__attribute__((visibility("default"))) cuda_emulator::Settings* cuda_emulator_settings() {
  return &settings();
}
__attribute__((visibility("default"))) std::size_t cuda_emulator_memory_in_use() { return memory_in_use(); }
__attribute__((visibility("default"))) std::size_t cuda_emulator_objects_in_use() { return objects_in_use(); }
}
