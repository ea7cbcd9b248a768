#pragma once

#include <napi.h>

namespace granule {

/// softmaxTopK of src/native/addon-types.ts.
Napi::Value softmax_top_k(const Napi::CallbackInfo& info);

}  // namespace granule
