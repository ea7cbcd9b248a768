#pragma once

#include <napi.h>

#include <memory>

#include "core/cancel_flag.h"

namespace granule {

/// NativeCancelToken of src/native/addon-types.ts.
class CancelTokenBinding : public Napi::ObjectWrap<CancelTokenBinding> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "CancelToken", {InstanceMethod<&CancelTokenBinding::cancel>("cancel")});
  }

  explicit CancelTokenBinding(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<CancelTokenBinding>(info), flag_(std::make_shared<CancelFlag>()) {}

  const std::shared_ptr<CancelFlag>& flag() const { return flag_; }

 private:
  void cancel(const Napi::CallbackInfo&) { flag_->cancel(); }

  std::shared_ptr<CancelFlag> flag_;
};

}  // namespace granule
