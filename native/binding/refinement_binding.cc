#include "binding/refinement_binding.h"

#include <memory>
#include <utility>

#include "binding/arguments.h"
#include "binding/async_call.h"
#include "refinement/guided_refinement.h"

namespace granule {

Napi::Value refine_query_call(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  AddonInstance* instance = env.GetInstanceData<AddonInstance>();
  const Napi::Float32Array query = info[0].As<Napi::Float32Array>();
  const Napi::Float32Array documents = info[1].As<Napi::Float32Array>();
  const Napi::Uint32Array lengths = info[2].As<Napi::Uint32Array>();
  const Napi::Float64Array complementary = info[3].As<Napi::Float64Array>();
  const Napi::Object options = info[4].As<Napi::Object>();
  const Napi::Object result = info[5].As<Napi::Object>();
  const std::shared_ptr<CancelFlag> cancel = cancel_flag(options.Get("cancel"));

  GuidedRefinement refinement;
  refinement.query = query.Data();
  refinement.dimension = uint32_property(options, "dimension");
  refinement.query_vectors = query.ElementLength() / refinement.dimension;
  refinement.documents = documents.Data();
  refinement.lengths = lengths.Data();
  refinement.document_count = lengths.ElementLength();
  refinement.complementary = complementary.Data();
  refinement.weight = double_property(options, "weight");
  refinement.temperature = double_property(options, "temperature");
  refinement.learning_rate = double_property(options, "learningRate");
  refinement.steps = uint32_property(options, "steps");
  refinement.moving_target = options.Get("movingTarget").As<Napi::Boolean>().Value();
  refinement.threads = thread_count(options);
  const auto out = std::make_shared<RefinedQuery>();
  out->query = result.Get("query").As<Napi::Float32Array>().Data();
  out->scores = result.Get("scores").As<Napi::Float64Array>().Data();
  out->losses = result.Get("losses").As<Napi::Float64Array>().Data();

  auto call = std::make_unique<AsyncCall>(
      env, cancel,
      [engine = instance->engine(), refinement, out, cancel] {
        return refine_query(engine->pool, *engine->kernels.table, refinement, *cancel, out.get());
      },
      [out](Napi::Env result_env) -> Napi::Value {
        return Napi::Number::New(result_env, static_cast<double>(out->comparisons));
      });
  call->pin(query);
  call->pin(documents);
  call->pin(lengths);
  call->pin(complementary);
  call->pin(result);
  const Napi::Promise promise = call->promise();
  instance->begin(std::move(call), refinement.threads);
  return promise;
}

}  // namespace granule
