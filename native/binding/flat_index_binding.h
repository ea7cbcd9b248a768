#pragma once

#include <napi.h>

#include "binding/index_binding.h"

namespace granule {

/// NativeFlatIndex of src/native/addon-types.ts.
class FlatIndexBinding : public Napi::ObjectWrap<FlatIndexBinding>, private IndexBinding {
 public:
  static Napi::Function define(Napi::Env env);
  explicit FlatIndexBinding(const Napi::CallbackInfo& info);

 private:
  Napi::Value rows(const Napi::CallbackInfo& info);
  Napi::Value bytes(const Napi::CallbackInfo& info);
  Napi::Value removed(const Napi::CallbackInfo& info);
  Napi::Value biased(const Napi::CallbackInfo& info);
  Napi::Value add(const Napi::CallbackInfo& info);
  Napi::Value search(const Napi::CallbackInfo& info);
  Napi::Value read(const Napi::CallbackInfo& info);
  Napi::Value reserve(const Napi::CallbackInfo& info);
  Napi::Value remove(const Napi::CallbackInfo& info);
  Napi::Value compact(const Napi::CallbackInfo& info);
  Napi::Value adopt_compaction(const Napi::CallbackInfo& info);
  Napi::Value write_segment(const Napi::CallbackInfo& info);
  Napi::Value open_segments(const Napi::CallbackInfo& info);
  Napi::Value copy_removed(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo& info);
};

}  // namespace granule
