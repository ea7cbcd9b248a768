#pragma once

#include <napi.h>

namespace granule {

/// adamwStep of src/native/addon-types.ts.
Napi::Value adamw_step_call(const Napi::CallbackInfo& info);

}  // namespace granule
