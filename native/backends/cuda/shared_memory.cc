#include "backends/cuda/shared_memory.h"

#include <map>
#include <mutex>
#include <utility>

namespace granule::cuda {

cudaError_t allow_shared_memory(const void* kernel, std::size_t bytes) {
  static std::mutex mutex;
  static std::map<std::pair<int, const void*>, std::size_t> allowed;
  int device = 0;
  if (const cudaError_t error = cudaGetDevice(&device); error != cudaSuccess) return error;
  const std::lock_guard<std::mutex> lock(mutex);
  std::size_t& own = allowed[{device, kernel}];
  if (bytes <= own) return cudaSuccess;
  const cudaError_t error =
      cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes));
  if (error == cudaSuccess) own = bytes;
  return error;
}

}  // namespace granule::cuda
