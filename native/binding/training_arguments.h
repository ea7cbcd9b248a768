#pragma once

#include <napi.h>

#include <memory>
#include <utility>

#include "binding/arguments.h"
#include "binding/async_call.h"
#include "training/tower.h"

namespace granule {

/// Reading of what the calls of training have in common, and their beginning.

/// The memory of an array that may be undefined.
template <typename Array>
auto data_property(const Napi::Object& object, const char* name) -> decltype(std::declval<Array>().Data()) {
  const Napi::Value value = object.Get(name);
  return value.IsUndefined() ? nullptr : value.As<Array>().Data();
}

inline TowerShape tower_shape(const Napi::Object& object) {
  TowerShape shape;
  shape.kind = static_cast<TowerKind>(uint32_property(object, "kind"));
  shape.input = uint32_property(object, "input");
  shape.hidden = uint32_property(object, "hidden");
  shape.output = uint32_property(object, "output");
  shape.scale = double_property(object, "scale");
  shape.residual = object.Get("residual").As<Napi::Boolean>().Value();
  shape.normalise = object.Get("normalise").As<Napi::Boolean>().Value();
  return shape;
}

template <typename T>
TowerTensors<T> tower_tensors(const Napi::Object& object) {
  return {data_property<Napi::Float32Array>(object, "hiddenWeight"),
          data_property<Napi::Float32Array>(object, "hiddenBias"),
          data_property<Napi::Float32Array>(object, "outputWeight"),
          data_property<Napi::Float32Array>(object, "outputBias")};
}

/// A call whose arguments stay alive until it has settled.
inline Napi::Value begin_training_call(const Napi::CallbackInfo& info, std::shared_ptr<CancelFlag> cancel,
                                       unsigned threads, AsyncCall::Work work, AsyncCall::Result result) {
  auto call = std::make_unique<AsyncCall>(info.Env(), std::move(cancel), std::move(work), std::move(result));
  for (std::size_t i = 0; i < info.Length(); ++i) {
    if (info[i].IsObject()) call->pin(info[i].As<Napi::Object>());
  }
  const Napi::Promise promise = call->promise();
  info.Env().GetInstanceData<AddonInstance>()->begin(std::move(call), threads);
  return promise;
}

}  // namespace granule
