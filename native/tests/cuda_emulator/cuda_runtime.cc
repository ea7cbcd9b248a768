#include "cuda_runtime.h"

#include <atomic>
#include <cstdlib>

#include "machine.h"

namespace cuda_emulator {
namespace {

/// Memory that nobody has written: NaN, and no sensible integer.
constexpr int kNoise = 0xff;

constexpr std::size_t kSharedBytesOfBlock = std::size_t{227} << 10;
/// What a kernel may have without asking.
constexpr std::size_t kSharedBytesUnasked = std::size_t{48} << 10;

std::size_t shared_memory_allowed(int device, const void* kernel) {
  std::lock_guard<std::mutex> lock(machine().mutex);
  const auto found = machine().shared_memory.find({device, kernel});
  return found == machine().shared_memory.end() ? kSharedBytesUnasked : found->second;
}

}  // namespace

class Event {
 public:
  std::atomic<bool> done{true};
  std::atomic<Stream*> stream{nullptr};

  void wait() {
    if (Stream* const on = stream.load(); on != nullptr && !done.load()) on->run();
  }
};

cudaError_t count_launch(cudaStream_t stream) {
  if (const cudaError_t error = error_of_device(stream->device); error != cudaSuccess) return error;
  std::lock_guard<std::mutex> lock(machine().mutex);
  int64_t& left = settings().launches_until_failure;
  if (left == 0) machine().fails = true;
  if (left > 0) --left;
  // After a failure nothing works any more, until the settings say so.
  if (machine().fails && left < 0) machine().fails = false;
  return machine().fails ? report(cudaErrorLaunchFailure) : cudaSuccess;
}

cudaError_t launch(const void* kernel, Dim3 grid, Dim3 block, std::size_t shared_bytes, cudaStream_t stream,
                   std::function<void()> body) {
  const std::size_t threads = std::size_t{block.x} * block.y * block.z;
  if (threads == 0 || threads > 1024 || threads % kWarp != 0) return report(cudaErrorInvalidValue);
  if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.y > 65535 || grid.z > 65535 || grid.x > 0x7fffffffu)
    return report(cudaErrorInvalidValue);
  if (shared_bytes > shared_memory_allowed(stream->device, kernel)) return report(cudaErrorInvalidValue);
  if (const cudaError_t error = count_launch(stream); error != cudaSuccess) return error;
  ++traffic().operations;
  stream->put([=] {
    {
      std::lock_guard<std::mutex> lock(machine().mutex);
      int64_t& left = settings().launches_until_loss;
      if (left == 0) settings().lost_devices |= 1u << stream->device;
      if (left >= 0) --left;
    }
    // A graph may launch it long after.
    if (shared_bytes > shared_memory_allowed(stream->device, kernel)) std::abort();
    if (error_of_device(stream->device) == cudaSuccess) run_grid(grid, block, shared_bytes, body);
  });
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
    case cudaErrorIllegalAddress:
      return "an illegal memory access was encountered";
    case cudaErrorStreamCaptureUnsupported:
      return "operation not permitted when stream is capturing";
    case cudaErrorStreamCaptureInvalidated:
      return "operation failed due to a previous error during capture";
    case cudaErrorLaunchFailure:
      return "unspecified launch failure";
    case cudaErrorNotReady:
      return "device not ready";
    default:
      return "invalid argument";
  }
}

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

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  *value = attribute == cudaDevAttrMemoryClockRate        ? settings().memory_kilohertz
           : attribute == cudaDevAttrGlobalMemoryBusWidth ? settings().memory_bits
                                                          : 1;
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  if (const cudaError_t error = error_of_device(current_device()); error != cudaSuccess) return error;
  std::lock_guard<std::mutex> lock(machine().mutex);
  *total = settings().memory_bytes;
  const std::size_t used = machine().used[current_device()];
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
  if (const cudaError_t error = error_of_device(current_device()); error != cudaSuccess) return error;
  *stream = new Stream(current_device());
  count_object(1);
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  stream->run();
  const cudaError_t error = error_of_device(stream->device);
  delete stream;
  count_object(-1);
  return error;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (stream->spoil_capture()) return report(cudaErrorStreamCaptureUnsupported);
  ++traffic().waits;
  stream->run();
  return error_of_device(stream->device);
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  if (stream->spoil_capture()) return report(cudaErrorStreamCaptureUnsupported);
  if (const cudaError_t error = error_of_device(stream->device); error != cudaSuccess) return error;
  return stream->empty() ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  stream->put([event] { event->wait(); });
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new Event;
  count_object(1);
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  event->wait();
  delete event;
  count_object(-1);
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
  Stream* const on = event->stream.load();
  return on != nullptr ? error_of_device(on->device) : cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t event) { return event->done ? cudaSuccess : cudaErrorNotReady; }

cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute, int value) {
  if (static_cast<std::size_t>(value) > kSharedBytesOfBlock) return report(cudaErrorInvalidValue);
  std::lock_guard<std::mutex> lock(machine().mutex);
  machine().shared_memory[{current_device(), kernel}] = static_cast<std::size_t>(value);
  return cudaSuccess;
}

cudaError_t cudaMallocAsync(void** memory, std::size_t bytes, cudaStream_t stream) {
  if (stream->spoil_capture()) return report(cudaErrorStreamCaptureUnsupported);
  if (const cudaError_t error = error_of_device(stream->device); error != cudaSuccess) return error;
  // What was freed on the stream before is there again.
  stream->run();
  std::lock_guard<std::mutex> lock(machine().mutex);
  std::size_t& used = machine().used[current_device()];
  if (used + bytes > settings().memory_bytes) return report(cudaErrorMemoryAllocation);
  *memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  std::memset(*memory, kNoise, bytes);
  machine().allocations[*memory] = {bytes, current_device()};
  used += bytes;
  return cudaSuccess;
}

cudaError_t cudaFreeAsync(void* memory, cudaStream_t stream) {
  // A lost device's memory goes with it.
  stream->put(
      [memory] {
        std::lock_guard<std::mutex> lock(machine().mutex);
        const auto found = machine().allocations.find(memory);
        if (found == machine().allocations.end()) std::abort();
        machine().used[found->second.second] -= found->second.first;
        std::memset(memory, kNoise, found->second.first);
        machine().allocations.erase(found);
        std::free(memory);
      },
      true);
  return error_of_device(stream->device);
}

cudaError_t cudaHostAlloc(void** memory, std::size_t bytes, unsigned) {
  if (const cudaError_t error = error_of_device(current_device()); error != cudaSuccess) return error;
  *memory = std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  if (*memory == nullptr) return report(cudaErrorMemoryAllocation);
  std::memset(*memory, kNoise, bytes);
  std::lock_guard<std::mutex> lock(machine().mutex);
  machine().pinned[*memory] = bytes;
  return cudaSuccess;
}

cudaError_t cudaFreeHost(void* memory) {
  {
    std::lock_guard<std::mutex> lock(machine().mutex);
    if (machine().pinned.erase(memory) != 1) std::abort();
  }
  std::memset(memory, kNoise, 1);
  std::free(memory);
  return error_of_device(current_device());
}

cudaError_t cudaHostRegister(void* memory, std::size_t bytes, unsigned) {
  if (const cudaError_t error = error_of_device(current_device()); error != cudaSuccess) return error;
  if (!settings().registers) return report(cudaErrorNotSupported);
  std::lock_guard<std::mutex> lock(machine().mutex);
  // Whole pages are registered, and none twice.
  constexpr uintptr_t kPage = 4096;
  const auto first = reinterpret_cast<uintptr_t>(memory) / kPage;
  const auto last = (reinterpret_cast<uintptr_t>(memory) + bytes - 1) / kPage;
  for (const auto& [other, other_bytes] : machine().registered) {
    const auto begin = reinterpret_cast<uintptr_t>(other);
    if (begin / kPage <= last && first <= (begin + other_bytes - 1) / kPage)
      return report(cudaErrorHostMemoryAlreadyRegistered);
  }
  machine().registered.emplace(memory, bytes);
  traffic().registered_bytes += bytes;
  return cudaSuccess;
}

cudaError_t cudaHostUnregister(void* memory) {
  std::lock_guard<std::mutex> lock(machine().mutex);
  return machine().registered.erase(memory) == 1 ? cudaSuccess : report(cudaErrorInvalidValue);
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  return cudaMemcpy2DAsync(to, bytes, from, bytes, bytes, 1, kind, stream);
}

cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch,
                              std::size_t width, std::size_t height, cudaMemcpyKind kind,
                              cudaStream_t stream) {
  if (const cudaError_t error = error_of_device(stream->device); error != cudaSuccess) return error;
  ++traffic().operations;
  const bool in = kind == cudaMemcpyHostToDevice;
  const bool out = kind == cudaMemcpyDeviceToHost;
  const std::size_t host_bytes = height == 0 ? 0 : (height - 1) * (in ? from_pitch : to_pitch) + width;
  const bool pinned = (in || out) && is_pinned(in ? from : to, host_bytes);
  stream->put([=] {
    // What was pinned when the copy was asked for must be so while it happens.
    if (pinned && !is_pinned(in ? from : to, host_bytes)) std::abort();
    if (in) traffic().bytes_to_device += width * height;
    if (out) traffic().bytes_from_device += width * height;
    if (in && !pinned) traffic().pageable_bytes += width * height;
    for (std::size_t row = 0; row < height; ++row) {
      std::memcpy(static_cast<char*>(to) + row * to_pitch, static_cast<const char*>(from) + row * from_pitch,
                  width);
    }
  });
  return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void* memory, int value, std::size_t bytes, cudaStream_t stream) {
  if (const cudaError_t error = error_of_device(stream->device); error != cudaSuccess) return error;
  ++traffic().operations;
  stream->put([=] { std::memset(memory, value, bytes); });
  return cudaSuccess;
}
