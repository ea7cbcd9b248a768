#include "binding/training_tower_binding.h"

#include <memory>
#include <utility>

#include "binding/arguments.h"
#include "binding/async_call.h"
#include "training/tower.h"

namespace granule {
namespace {

/// The memory of an array that may be undefined.
template <typename Array>
auto data_property(const Napi::Object& object, const char* name) -> decltype(std::declval<Array>().Data()) {
  const Napi::Value value = object.Get(name);
  return value.IsUndefined() ? nullptr : value.As<Array>().Data();
}

TowerShape shape_of(const Napi::Object& object) {
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
TowerTensors<T> tensors_of(const Napi::Object& object) {
  return {data_property<Napi::Float32Array>(object, "hiddenWeight"),
          data_property<Napi::Float32Array>(object, "hiddenBias"),
          data_property<Napi::Float32Array>(object, "outputWeight"),
          data_property<Napi::Float32Array>(object, "outputBias")};
}

Napi::Value begin_call(const Napi::CallbackInfo& info, const Napi::Object& options, AsyncCall::Work work,
                       std::shared_ptr<CancelFlag> cancel) {
  const Napi::Env env = info.Env();
  auto call = std::make_unique<AsyncCall>(env, std::move(cancel), std::move(work),
                                          [](Napi::Env result_env) { return result_env.Undefined(); });
  for (std::size_t i = 0; i < info.Length(); ++i) {
    if (info[i].IsObject()) call->pin(info[i].As<Napi::Object>());
  }
  const Napi::Promise promise = call->promise();
  env.GetInstanceData<AddonInstance>()->begin(std::move(call), thread_count(options));
  return promise;
}

}  // namespace

Napi::Value tower_forward_call(const Napi::CallbackInfo& info) {
  const TowerShape shape = shape_of(info[0].As<Napi::Object>());
  const auto parameters = tensors_of<const float>(info[1].As<Napi::Object>());
  const Napi::Float32Array inputs = info[2].As<Napi::Float32Array>();
  const Napi::Object options = info[3].As<Napi::Object>();
  const Napi::Object result = info[4].As<Napi::Object>();
  const std::shared_ptr<CancelFlag> cancel = cancel_flag(options.Get("cancel"));
  const TowerActivations out{data_property<Napi::Float32Array>(result, "outputs"),
                             data_property<Napi::Float32Array>(result, "hidden"),
                             data_property<Napi::Float64Array>(result, "norms")};
  return begin_call(
      info, options,
      [engine = info.Env().GetInstanceData<AddonInstance>()->engine(), shape, parameters, cancel, out,
       threads = thread_count(options), data = inputs.Data(), rows = inputs.ElementLength() / shape.input] {
        return tower_forward({engine->pool, *engine->kernels.table, threads, *cancel}, shape, parameters,
                             data, rows, out);
      },
      cancel);
}

Napi::Value tower_backward_call(const Napi::CallbackInfo& info) {
  const TowerShape shape = shape_of(info[0].As<Napi::Object>());
  const auto parameters = tensors_of<const float>(info[1].As<Napi::Object>());
  const auto gradients = tensors_of<float>(info[2].As<Napi::Object>());
  const Napi::Float32Array inputs = info[3].As<Napi::Float32Array>();
  const Napi::Object activations = info[4].As<Napi::Object>();
  const Napi::Float32Array output_gradient = info[5].As<Napi::Float32Array>();
  const Napi::Object options = info[6].As<Napi::Object>();
  const std::shared_ptr<CancelFlag> cancel = cancel_flag(options.Get("cancel"));
  TowerBackward pass;
  pass.inputs = inputs.Data();
  pass.rows = inputs.ElementLength() / shape.input;
  pass.outputs = data_property<Napi::Float32Array>(activations, "outputs");
  pass.hidden = data_property<Napi::Float32Array>(activations, "hidden");
  pass.norms = data_property<Napi::Float64Array>(activations, "norms");
  pass.output_gradient = output_gradient.Data();
  pass.input_gradient = info[7].IsUndefined() ? nullptr : info[7].As<Napi::Float32Array>().Data();
  return begin_call(
      info, options,
      [engine = info.Env().GetInstanceData<AddonInstance>()->engine(), shape, parameters, gradients, cancel,
       pass, threads = thread_count(options)] {
        return tower_backward({engine->pool, *engine->kernels.table, threads, *cancel}, shape, parameters,
                              gradients, pass);
      },
      cancel);
}

}  // namespace granule
