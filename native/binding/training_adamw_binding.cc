#include "binding/training_adamw_binding.h"

#include <memory>
#include <utility>
#include <vector>

#include "binding/arguments.h"
#include "binding/async_call.h"
#include "training/adamw.h"

namespace granule {

Napi::Value adamw_step_call(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  AddonInstance* instance = env.GetInstanceData<AddonInstance>();
  const Napi::Array given = info[0].As<Napi::Array>();
  const Napi::Object options = info[1].As<Napi::Object>();
  std::vector<AdamWTensor> tensors;
  for (uint32_t t = 0; t < given.Length(); ++t) {
    const Napi::Object tensor = given.Get(t).As<Napi::Object>();
    Napi::Float32Array values = tensor.Get("values").As<Napi::Float32Array>();
    tensors.push_back({values.Data(), tensor.Get("gradient").As<Napi::Float32Array>().Data(),
                       tensor.Get("first").As<Napi::Float32Array>().Data(),
                       tensor.Get("second").As<Napi::Float32Array>().Data(), values.ElementLength(),
                       double_property(tensor, "decay")});
  }
  AdamWStep step;
  step.rate = double_property(options, "rate");
  step.first_decay = double_property(options, "firstDecay");
  step.second_decay = double_property(options, "secondDecay");
  step.epsilon = double_property(options, "epsilon");
  step.first_correction = double_property(options, "firstCorrection");
  step.second_correction = double_property(options, "secondCorrection");
  step.clip = double_property(options, "clip");
  step.threads = thread_count(options);

  const auto norm = std::make_shared<double>(0);
  auto call = std::make_unique<AsyncCall>(
      env, std::make_shared<CancelFlag>(),
      [engine = instance->engine(), tensors, step, norm] {
        return adamw_step(engine->pool, *engine->kernels.table, tensors, step, norm.get());
      },
      [norm](Napi::Env result_env) -> Napi::Value { return Napi::Number::New(result_env, *norm); });
  call->pin(given);
  const Napi::Promise promise = call->promise();
  instance->begin(std::move(call), step.threads);
  return promise;
}

}  // namespace granule
