#pragma once

#include <napi.h>

namespace granule {

/// towerForward of src/native/addon-types.ts.
Napi::Value tower_forward_call(const Napi::CallbackInfo& info);

/// towerBackward of src/native/addon-types.ts.
Napi::Value tower_backward_call(const Napi::CallbackInfo& info);

}  // namespace granule
