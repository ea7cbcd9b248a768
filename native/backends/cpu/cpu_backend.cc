#include "backends/cpu/cpu_backend.h"

#include <cstdio>
#include <exception>
#include <new>

#include "backends/cpu/stored_rows.h"

namespace granule {
namespace {

/// Runs `work`, and turns what it throws into a result and its reason.
template <typename Work>
granule_result result_of(char* message, size_t message_size, const Work& work) {
  try {
    return work();
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

granule_result search(void* self, const granule_search* request, granule_hits* hits, char* message,
                      size_t message_size) {
  const CpuBackend& backend = *static_cast<const CpuBackend*>(self);
  return result_of(message, message_size, [&] {
    if (request->query_offsets != nullptr) {
      return codes_serve_documents(*request) ? certified_maxsim(backend, *request, *hits)
                                             : maxsim_scan(backend, *request, *hits);
    }
    return codes_serve(*request) ? certified_scan(backend, *request, *hits)
                                 : flat_scan(backend, *request, *hits);
  });
}

granule_result sum_terms(void* self, const granule_term_search* request, granule_term_sum* sums,
                         char* message, size_t message_size) {
  const CpuBackend& backend = *static_cast<const CpuBackend*>(self);
  return result_of(message, message_size, [&] {
    return request->search->query_offsets != nullptr ? sum_document_terms(backend, *request, sums)
                                                     : sum_row_terms(backend, *request, sums);
  });
}

void release_segment(void*, uint64_t) {}

void destroy(void* self) { delete static_cast<CpuBackend*>(self); }

}  // namespace

granule_backend open_cpu_backend(const KernelTable& kernels, ThreadPool& pool) {
  granule_backend backend;
  backend.self = new CpuBackend{kernels, pool};
  backend.search = search;
  backend.sum_terms = sum_terms;
  backend.release_segment = release_segment;
  backend.destroy = destroy;
  return backend;
}

}  // namespace granule
