#include "binding/softmax_binding.h"

#include <cstring>
#include <memory>
#include <utility>

#include "binding/async_call.h"
#include "index/top_k_softmax.h"

namespace granule {
namespace {

template <typename Array, typename T>
Array to_array(Napi::Env env, const std::vector<T>& values) {
  Array array = Array::New(env, values.size());
  if (!values.empty()) std::memcpy(array.Data(), values.data(), values.size() * sizeof(T));
  return array;
}

}  // namespace

Napi::Value softmax_top_k(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  AddonInstance* instance = env.GetInstanceData<AddonInstance>();
  const Napi::Float32Array scores = info[0].As<Napi::Float32Array>();
  const auto out = std::make_shared<TopKSoftmax>();
  auto call = std::make_unique<AsyncCall>(
      env, std::make_shared<CancelFlag>(),
      [engine = instance->engine(), data = scores.Data(), count = scores.ElementLength(),
       k = info[1].As<Napi::Number>().Uint32Value(), temperature = info[2].As<Napi::Number>().DoubleValue(),
       out] { return top_k_softmax(*engine->kernels.table, data, count, k, temperature, out.get()); },
      [out](Napi::Env result_env) -> Napi::Value {
        Napi::Object object = Napi::Object::New(result_env);
        object.Set("rows", to_array<Napi::Uint32Array>(result_env, out->rows));
        object.Set("scores", to_array<Napi::Float32Array>(result_env, out->scores));
        object.Set("probabilities", to_array<Napi::Float32Array>(result_env, out->probabilities));
        object.Set("logSumExp", Napi::Number::New(result_env, out->log_sum_exp));
        object.Set("mass", Napi::Number::New(result_env, out->mass));
        return object;
      });
  call->pin(scores);
  const Napi::Promise promise = call->promise();
  instance->begin(std::move(call), 1);
  return promise;
}

}  // namespace granule
