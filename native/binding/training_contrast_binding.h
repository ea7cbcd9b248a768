#pragma once

#include <napi.h>

namespace granule {

/// inBatchContrast of src/native/addon-types.ts.
Napi::Value in_batch_contrast_call(const Napi::CallbackInfo& info);

/// inBatchContrastOfTowers of src/native/addon-types.ts.
Napi::Value in_batch_contrast_of_towers_call(const Napi::CallbackInfo& info);

/// patchContrast of src/native/addon-types.ts.
Napi::Value patch_contrast_call(const Napi::CallbackInfo& info);

}  // namespace granule
