#pragma once

#include <napi.h>

namespace granule {

/// poolVectors of src/native/addon-types.ts.
Napi::Value pool_vectors_call(const Napi::CallbackInfo& info);

}  // namespace granule
