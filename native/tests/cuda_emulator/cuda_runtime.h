// Stands in for the CUDA runtime where the backend is built for the emulator (emulator.h): what the backend
// uses of it, on the processor and in host memory. What is put on a stream happens when somebody waits for
// it, not before: a caller who forgets to wait reads what was there. Devices, their memory, and faults are
// set by cuda_emulator::settings().
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>

#include "emulator.h"
#include "settings.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__
#define __restrict__ __restrict
#define __launch_bounds__(...)
#define __grid_constant__
#define __constant__
#define __shared__ static thread_local
#define __align__(bytes) alignas(bytes)

using dim3 = cuda_emulator::Dim3;

#define threadIdx (cuda_emulator::place().thread_index)
#define blockIdx (cuda_emulator::place().block_index)
#define blockDim (cuda_emulator::place().block_size)
#define gridDim (cuda_emulator::place().grid_size)

struct alignas(8) int2 {
  int x, y;
};
struct alignas(16) int4 {
  int x, y, z, w;
};
struct alignas(8) uint2 {
  unsigned x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};

// --- Device functions ---

inline void __syncthreads() { cuda_emulator::sync_block(); }
inline int __syncthreads_count(int predicate) { return cuda_emulator::sync_block_count(predicate != 0); }
inline void __syncwarp(unsigned = 0xffffffffu) {
  char own = 0;
  char all[cuda_emulator::kWarp];
  cuda_emulator::exchange(&own, 1, all);
}
inline void __threadfence() {}

template <typename T>
T __shfl_sync(unsigned, T value, int lane) {
  T all[cuda_emulator::kWarp];
  cuda_emulator::exchange(&value, sizeof value, all);
  return all[static_cast<unsigned>(lane) % cuda_emulator::kWarp];
}
template <typename T>
T __shfl_xor_sync(unsigned, T value, int mask) {
  T all[cuda_emulator::kWarp];
  cuda_emulator::exchange(&value, sizeof value, all);
  return all[(cuda_emulator::place().thread % cuda_emulator::kWarp) ^ static_cast<unsigned>(mask)];
}
template <typename T>
T __shfl_up_sync(unsigned, T value, unsigned delta) {
  T all[cuda_emulator::kWarp];
  cuda_emulator::exchange(&value, sizeof value, all);
  const unsigned lane = cuda_emulator::place().thread % cuda_emulator::kWarp;
  return lane < delta ? value : all[lane - delta];
}
inline unsigned __ballot_sync(unsigned, int predicate) {
  const unsigned char own = predicate != 0 ? 1 : 0;
  unsigned char all[cuda_emulator::kWarp];
  cuda_emulator::exchange(&own, 1, all);
  unsigned out = 0;
  for (unsigned lane = 0; lane < cuda_emulator::kWarp; ++lane)
    out |= static_cast<unsigned>(all[lane]) << lane;
  return out;
}
inline int __any_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) != 0 ? 1 : 0; }
inline int __all_sync(unsigned mask, int predicate) {
  return __ballot_sync(mask, predicate) == 0xffffffffu ? 1 : 0;
}

template <typename T>
T atomicAdd(T* address, T value) {
  const T old = *address;
  *address = old + value;
  return old;
}
template <typename T>
T atomicMax(T* address, T value) {
  const T old = *address;
  if (value > old) *address = value;
  return old;
}
inline unsigned atomicOr(unsigned* address, unsigned value) {
  const unsigned old = *address;
  *address = old | value;
  return old;
}

inline int __popc(unsigned value) { return __builtin_popcount(value); }
inline int __ffs(int value) { return __builtin_ffs(value); }
inline int __clz(int value) { return value == 0 ? 32 : __builtin_clz(static_cast<unsigned>(value)); }
template <typename T>
T __ldg(const T* address) {
  return *address;
}
inline float __int_as_float(int bits) {
  float out;
  std::memcpy(&out, &bits, sizeof out);
  return out;
}
inline int __float_as_int(float value) {
  int out;
  std::memcpy(&out, &value, sizeof out);
  return out;
}
inline unsigned __float_as_uint(float value) { return static_cast<unsigned>(__float_as_int(value)); }
inline float __uint_as_float(unsigned bits) { return __int_as_float(static_cast<int>(bits)); }
inline double __fma_rn(double a, double b, double c) { return std::fma(a, b, c); }
inline int __float2int_rn(float value) { return static_cast<int>(std::nearbyint(value)); }

// --- The runtime ---

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInsufficientDriver = 35,
  cudaErrorNoDevice = 100,
  cudaErrorNotReady = 600,
  cudaErrorLaunchFailure = 719,
  cudaErrorHostMemoryAlreadyRegistered = 712,
  cudaErrorNotSupported = 801
};
const char* cudaGetErrorString(cudaError_t error);
const char* cudaGetErrorName(cudaError_t error);
cudaError_t cudaGetLastError();
cudaError_t cudaPeekAtLastError();

struct cudaDeviceProp {
  char name[256];
  std::size_t totalGlobalMem;
  std::size_t sharedMemPerBlockOptin;
  int multiProcessorCount;
  int major;
  int minor;
};
enum cudaDeviceAttr { cudaDevAttrMemoryPoolsSupported = 115 };

cudaError_t cudaGetDeviceCount(int* count);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device);
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaGetDevice(int* device);
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total);
cudaError_t cudaDriverGetVersion(int* version);
cudaError_t cudaRuntimeGetVersion(int* version);

namespace cuda_emulator {
class Stream;
class Event;
}  // namespace cuda_emulator
using cudaStream_t = cuda_emulator::Stream*;
using cudaEvent_t = cuda_emulator::Event*;

enum { cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2, cudaHostAllocDefault = 0 };
enum { cudaHostRegisterReadOnly = 8, cudaHostRegisterDefault = 0 };
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2, cudaMemcpyDeviceToDevice = 3 };
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize = 8 };

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaStreamQuery(cudaStream_t stream);
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags = 0);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
cudaError_t cudaEventSynchronize(cudaEvent_t event);
cudaError_t cudaEventQuery(cudaEvent_t event);

cudaError_t cudaMallocAsync(void** memory, std::size_t bytes, cudaStream_t stream);
cudaError_t cudaFreeAsync(void* memory, cudaStream_t stream);
cudaError_t cudaHostAlloc(void** memory, std::size_t bytes, unsigned flags);
cudaError_t cudaFreeHost(void* memory);
cudaError_t cudaHostRegister(void* memory, std::size_t bytes, unsigned flags);
cudaError_t cudaHostUnregister(void* memory);
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream);
cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch,
                              std::size_t width, std::size_t height, cudaMemcpyKind kind,
                              cudaStream_t stream);
cudaError_t cudaMemsetAsync(void* memory, int value, std::size_t bytes, cudaStream_t stream);
template <typename Function>
cudaError_t cudaFuncSetAttribute(Function*, cudaFuncAttribute, int) {
  return cudaSuccess;
}

namespace cuda_emulator {

/// Puts a kernel's run on a stream.
cudaError_t launch(Dim3 grid, Dim3 block, std::size_t shared_bytes, cudaStream_t stream,
                   std::function<void()> body);

Settings& settings();

/// Bytes of device memory in use, on all devices.
std::size_t memory_in_use();
/// Streams and events that were made and not destroyed.
std::size_t objects_in_use();

}  // namespace cuda_emulator
