#include "binding/training_tower_binding.h"

#include <memory>

#include "binding/training_arguments.h"

namespace granule {
namespace {

Napi::Value nothing(Napi::Env env) { return env.Undefined(); }

}  // namespace

Napi::Value tower_forward_call(const Napi::CallbackInfo& info) {
  const TowerShape shape = tower_shape(info[0].As<Napi::Object>());
  const auto parameters = tower_tensors<const float>(info[1].As<Napi::Object>());
  const Napi::Float32Array inputs = info[2].As<Napi::Float32Array>();
  const Napi::Object options = info[3].As<Napi::Object>();
  const Napi::Object result = info[4].As<Napi::Object>();
  const std::shared_ptr<CancelFlag> cancel = cancel_flag(options.Get("cancel"));
  const TowerActivations out{data_property<Napi::Float32Array>(result, "outputs"),
                             data_property<Napi::Float32Array>(result, "hidden"),
                             data_property<Napi::Float64Array>(result, "norms")};
  const unsigned threads = thread_count(options);
  return begin_training_call(
      info, cancel, threads,
      [engine = info.Env().GetInstanceData<AddonInstance>()->engine(), shape, parameters, cancel, out,
       threads, data = inputs.Data(), rows = inputs.ElementLength() / shape.input] {
        return tower_forward({engine->pool, *engine->kernels.table, threads, *cancel}, shape, parameters,
                             data, rows, out);
      },
      nothing);
}

Napi::Value tower_backward_call(const Napi::CallbackInfo& info) {
  const TowerShape shape = tower_shape(info[0].As<Napi::Object>());
  const auto parameters = tower_tensors<const float>(info[1].As<Napi::Object>());
  const auto gradients = tower_tensors<float>(info[2].As<Napi::Object>());
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
  const unsigned threads = thread_count(options);
  return begin_training_call(
      info, cancel, threads,
      [engine = info.Env().GetInstanceData<AddonInstance>()->engine(), shape, parameters, gradients, cancel,
       pass, threads] {
        return tower_backward({engine->pool, *engine->kernels.table, threads, *cancel}, shape, parameters,
                              gradients, pass);
      },
      nothing);
}

}  // namespace granule
