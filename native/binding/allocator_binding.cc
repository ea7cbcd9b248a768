#include "binding/allocator_binding.h"

#include <cstdlib>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace granule {

Napi::Value bound_allocator(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
#if defined(__GLIBC__)
  const int arenas = info[0].As<Napi::Number>().Int32Value();
  const int mapped_bytes = info[1].As<Napi::Number>().Int32Value();
  // Setting the threshold also stops it from rising to the size of whatever mapping was freed last.
  const bool bound = mallopt(M_MMAP_THRESHOLD, mapped_bytes) == 1 &&
                     mallopt(M_TRIM_THRESHOLD, mapped_bytes) == 1 && mallopt(M_ARENA_MAX, arenas) == 1;
  return Napi::Boolean::New(env, bound);
#else
  return Napi::Boolean::New(env, false);
#endif
}

}  // namespace granule
