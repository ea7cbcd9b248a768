#pragma once

#include <napi.h>

namespace granule {

/// refineQuery of src/native/addon-types.ts.
Napi::Value refine_query_call(const Napi::CallbackInfo& info);

}  // namespace granule
