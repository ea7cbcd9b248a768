#pragma once

#include <napi.h>

namespace granule {

/// boundAllocator of src/native/addon-types.ts.
Napi::Value bound_allocator(const Napi::CallbackInfo& info);

}  // namespace granule
