// A backend library for the tests of the registry; FAKE_BACKEND_* chooses its fault.
#include <cstdio>

#include "backends/backend.h"

namespace {

int32_t score(char* reason, size_t reason_size) {
#if defined(FAKE_BACKEND_REFUSES)
  std::snprintf(reason, reason_size, "no device");
  return 0;
#else
  std::snprintf(reason, reason_size, "made for tests");
  return 7;
#endif
}

int32_t open(granule_backend* backend, char*, size_t) {
  backend->self = nullptr;
  backend->search = [](void*, const granule_search*, granule_hits*, char* message, size_t size) {
    std::snprintf(message, size, "the device was lost");
    return GRANULE_FAILED;
  };
  backend->sum_terms = [](void*, const granule_term_search*, granule_term_sum*, char* message, size_t size) {
    std::snprintf(message, size, "the device was lost");
    return GRANULE_FAILED;
  };
  backend->release_segment = [](void*, uint64_t) {};
  backend->destroy = [](void*) {};
  return 1;
}

}  // namespace

#if defined(_WIN32)
#define FAKE_EXPORT __declspec(dllexport)
#else
#define FAKE_EXPORT __attribute__((visibility("default")))
#endif

#if !defined(FAKE_BACKEND_NO_ENTRY)
extern "C" FAKE_EXPORT const granule_backend_library* granule_backend_entry(void) {
#if defined(FAKE_BACKEND_WRONG_VERSION)
  static const granule_backend_library library = {GRANULE_BACKEND_ABI + 1, "fake", score, open};
#else
  static const granule_backend_library library = {GRANULE_BACKEND_ABI, "fake", score, open};
#endif
  return &library;
}
#else
extern "C" FAKE_EXPORT int32_t something_else() {
  char reason[64];
  granule_backend backend;
  return score(reason, sizeof reason) + open(&backend, reason, sizeof reason);
}
#endif
