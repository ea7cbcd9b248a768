#include "binding/file_lock_binding.h"

#include <string>
#include <utility>

#include "binding/addon_instance.h"
#include "binding/async_call.h"

namespace granule {

Napi::Function FileLockBinding::define(Napi::Env env) {
  return DefineClass(env, "FileLock",
                     {InstanceMethod<&FileLockBinding::acquire>("acquire"),
                      InstanceMethod<&FileLockBinding::release>("release")});
}

FileLockBinding::FileLockBinding(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<FileLockBinding>(info), lock_(std::make_shared<FileLock>()) {}

Napi::Value FileLockBinding::acquire(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto call = std::make_unique<AsyncCall>(
      env, std::make_shared<CancelFlag>(),
      [lock = lock_, path = info[0].As<Napi::String>().Utf8Value()] { return lock->acquire(path); },
      [](Napi::Env result_env) -> Napi::Value { return result_env.Undefined(); });
  call->pin(info.This().As<Napi::Object>());
  const Napi::Promise promise = call->promise();
  env.GetInstanceData<AddonInstance>()->begin(std::move(call), 1);
  return promise;
}

void FileLockBinding::release(const Napi::CallbackInfo&) { lock_->release(); }

}  // namespace granule
