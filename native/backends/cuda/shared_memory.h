#pragma once

#include <cuda_runtime.h>

#include <cstddef>

namespace granule::cuda {

/// Allows a kernel to be launched with so much dynamic shared memory on the calling thread's device, from now
/// on. The limit is the kernel's own, not a launch's: it never becomes less, for other threads, and graphs,
/// may be about to launch the kernel with more.
cudaError_t allow_shared_memory(const void* kernel, std::size_t bytes);

}  // namespace granule::cuda
