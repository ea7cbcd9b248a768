#include <cuda_runtime.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "backends/backend.h"
#include "backends/cuda/cuda_failure.h"
#include "backends/cuda/device.h"
#include "backends/cuda/device_shares.h"
#include "backends/cuda/document_search.h"
#include "backends/cuda/flat_search.h"
#include "backends/cuda/term_sums.h"

namespace granule::cuda {
namespace {

/// Better than the CPU's 1.
constexpr int32_t kScore = 100;
constexpr int kLeastMajor = 8;

struct Backend {
  std::vector<std::unique_ptr<Device>> devices;
};

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

/// The devices that the kernels run on; none, and why.
std::vector<int> usable_devices(std::string* reason) {
  int driver = 0;
  int runtime = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0) {
    *reason = "there is no NVIDIA driver";
    return {};
  }
  cudaRuntimeGetVersion(&runtime);
  int count = 0;
  if (const cudaError_t error = cudaGetDeviceCount(&count); error != cudaSuccess || count == 0) {
    cudaGetLastError();
    *reason = std::string("no device: ") +
              (error != cudaSuccess ? cudaGetErrorString(error) : "none was found") + " (driver for CUDA " +
              version_text(driver) + ", built with " + version_text(runtime) + ")";
    return {};
  }
  std::vector<int> out;
  std::string names;
  for (int ordinal = 0; ordinal < count; ++ordinal) {
    cudaDeviceProp properties{};
    int pools = 0;
    if (cudaGetDeviceProperties(&properties, ordinal) != cudaSuccess) continue;
    cudaDeviceGetAttribute(&pools, cudaDevAttrMemoryPoolsSupported, ordinal);
    const std::string name = std::string(properties.name) + " (compute capability " +
                             std::to_string(properties.major) + "." + std::to_string(properties.minor) +
                             ", " + std::to_string(properties.totalGlobalMem >> 20) + " MiB)";
    const bool usable = properties.major >= kLeastMajor && pools != 0;
    if (usable) out.push_back(ordinal);
    names += (names.empty() ? "" : ", ") + name + (usable ? "" : ", too old");
  }
  cudaGetLastError();
  *reason = names + "; driver for CUDA " + version_text(driver);
  return out;
}

/// Writes what the devices found together.
void write_rows(const granule_search& search, std::vector<std::vector<QueryResult>>& found,
                granule_hits* hits) {
  for (uint64_t q = 0; q < search.query_count; ++q) {
    QueryResult& all = found[0][q];
    for (std::size_t d = 1; d < found.size(); ++d) {
      const QueryResult& other = found[d][q];
      all.best.merge(other.best);
      all.threshold = std::max(all.threshold, other.threshold);
      all.rows_rescored += other.rows_rescored;
    }
    // Without codes on any device there is none.
    const bool coded = all.threshold != -std::numeric_limits<float>::infinity();
    hits->thresholds[q] = coded ? std::max(all.threshold, all.best.threshold()) : all.threshold;
    hits->rows_rescored[q] = static_cast<uint32_t>(all.rows_rescored);
    hits->counts[q] = all.best.drain(hits->rows + q * search.k, hits->scores + q * search.k);
  }
}

/// The result that the exception under way stands for, and its reason.
granule_result result_of_failure(char* message, size_t message_size) {
  try {
    throw;
  } catch (const Cancelled&) {
    return GRANULE_CANCELLED;
  } catch (const Damaged&) {
    std::snprintf(message, message_size, "a file of the index is damaged");
    return GRANULE_CORRUPT;
  } catch (const CudaFailure& failure) {
    std::snprintf(message, message_size, "%s", failure.what());
    return failure.result();
  } catch (const std::bad_alloc&) {
    std::snprintf(message, message_size, "not enough memory for the search");
    return GRANULE_OUT_OF_MEMORY;
  } catch (const std::exception& error) {
    std::snprintf(message, message_size, "%s", error.what());
    return GRANULE_FAILED;
  }
}

granule_result search(void* self, const granule_search* request, granule_hits* hits, char* message,
                      size_t message_size) {
  Backend& backend = *static_cast<Backend*>(self);
  try {
    if (request->query_offsets != nullptr) {
      search_documents(backend.devices, *request, hits);
      return GRANULE_OK;
    }
    const auto shares = divide_segments(*request, backend.devices.size());
    std::vector<std::vector<QueryResult>> found(backend.devices.size());
    for_each_device(backend.devices,
                    [&](std::size_t d) { found[d] = search_rows(*backend.devices[d], *request, shares[d]); });
    write_rows(*request, found, hits);
    return GRANULE_OK;
  } catch (...) {
    return result_of_failure(message, message_size);
  }
}

granule_result sum_terms(void* self, const granule_term_search* request, granule_term_sum* sums,
                         char* message, size_t message_size) {
  try {
    cuda::sum_terms(static_cast<Backend*>(self)->devices, *request, sums);
    return GRANULE_OK;
  } catch (...) {
    return result_of_failure(message, message_size);
  }
}

void release_segment(void* self, uint64_t id) {
  Backend& backend = *static_cast<Backend*>(self);
  backend.devices[device_of_segment(id, backend.devices.size())]->release_segment(id);
}

void destroy(void* self) { delete static_cast<Backend*>(self); }

int32_t score(char* reason, size_t reason_size) {
  std::string text;
  const bool usable = !usable_devices(&text).empty();
  std::snprintf(reason, reason_size, "%s", text.c_str());
  return usable ? kScore : 0;
}

int32_t open(granule_backend* out, char* reason, size_t reason_size) {
  try {
    auto backend = std::make_unique<Backend>();
    std::string text;
    for (const int ordinal : usable_devices(&text))
      backend->devices.push_back(std::make_unique<Device>(ordinal));
    for (std::size_t d = 0; d < backend->devices.size(); ++d)
      text += (d == 0 ? "; batches by " : ", ") + backend->devices[d]->batch_scan().description();
    std::snprintf(reason, reason_size, "%s", text.c_str());
    out->search = search;
    out->sum_terms = sum_terms;
    out->release_segment = release_segment;
    out->destroy = destroy;
    out->self = backend.release();
    return 1;
  } catch (const std::exception& error) {
    std::snprintf(reason, reason_size, "%s", error.what());
    return 0;
  }
}

}  // namespace
}  // namespace granule::cuda

#if defined(_WIN32)
#define GRANULE_CUDA_EXPORT __declspec(dllexport)
#else
#define GRANULE_CUDA_EXPORT __attribute__((visibility("default")))
#endif

extern "C" GRANULE_CUDA_EXPORT const granule_backend_library* granule_backend_entry(void) {
  static const granule_backend_library library = {GRANULE_BACKEND_ABI, "cuda", granule::cuda::score,
                                                  granule::cuda::open};
  return &library;
}
