#include "backends/cpu/cpu_backend.h"

#include <cstdio>
#include <exception>
#include <new>

#include "backends/cpu/stored_rows.h"

namespace granule {
namespace {

granule_result search(void* self, const granule_search* request, granule_hits* hits, char* message,
                      size_t message_size) {
  const CpuBackend& backend = *static_cast<const CpuBackend*>(self);
  try {
    if (request->query_offsets != nullptr) {
      return codes_serve_documents(*request) ? certified_maxsim(backend, *request, *hits)
                                             : maxsim_scan(backend, *request, *hits);
    }
    return codes_serve(*request) ? certified_scan(backend, *request, *hits)
                                 : flat_scan(backend, *request, *hits);
  } catch (const std::bad_alloc&) {
    std::snprintf(message, message_size, "not enough memory for the search");
    return GRANULE_OUT_OF_MEMORY;
  } catch (const DamagedFile& error) {
    std::snprintf(message, message_size, "%s", error.what());
    return GRANULE_CORRUPT;
  } catch (const std::exception& error) {
    std::snprintf(message, message_size, "%s", error.what());
    return GRANULE_FAILED;
  }
}

void release_segment(void*, uint64_t) {}

void destroy(void* self) { delete static_cast<CpuBackend*>(self); }

}  // namespace

granule_backend open_cpu_backend(const KernelTable& kernels, ThreadPool& pool) {
  granule_backend backend;
  backend.self = new CpuBackend{kernels, pool};
  backend.search = search;
  backend.release_segment = release_segment;
  backend.destroy = destroy;
  return backend;
}

}  // namespace granule
