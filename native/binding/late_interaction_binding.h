#pragma once

#include <napi.h>

namespace granule {

/// scoreDocuments of src/native/addon-types.ts.
Napi::Value score_documents_call(const Napi::CallbackInfo& info);

/// similarityTile of src/native/addon-types.ts.
Napi::Value similarity_tile_call(const Napi::CallbackInfo& info);

}  // namespace granule
