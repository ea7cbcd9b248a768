#pragma once

#include <napi.h>

namespace granule {

/// runtimeInfo of src/native/addon-types.ts.
Napi::Value runtime_info(const Napi::CallbackInfo& info);

}  // namespace granule
