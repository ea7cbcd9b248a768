#pragma once

#include <napi.h>

#include <memory>

#include "core/file.h"

namespace granule {

/// NativeFileLock of src/native/addon-types.ts.
class FileLockBinding : public Napi::ObjectWrap<FileLockBinding> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit FileLockBinding(const Napi::CallbackInfo& info);

 private:
  Napi::Value acquire(const Napi::CallbackInfo& info);
  void release(const Napi::CallbackInfo& info);

  std::shared_ptr<FileLock> lock_;
};

}  // namespace granule
