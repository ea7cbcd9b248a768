#include "binding/training_contrast_binding.h"

#include <memory>
#include <utility>

#include "binding/arguments.h"
#include "binding/async_call.h"
#include "training/in_batch_contrast.h"
#include "training/patch_contrast.h"

namespace granule {
namespace {

const uint32_t* optional_uint32(const Napi::Object& options, const char* name) {
  const Napi::Value value = options.Get(name);
  return value.IsUndefined() ? nullptr : value.As<Napi::Uint32Array>().Data();
}

/// What both batches have.
template <typename Batch>
void read_options(const Napi::Object& options, Batch* batch) {
  batch->dimension = uint32_property(options, "dimension");
  batch->temperature = double_property(options, "temperature");
  batch->direction = static_cast<ContrastDirection>(uint32_property(options, "direction"));
  batch->groups = optional_uint32(options, "groups");
  const Napi::Value weights = options.Get("weights");
  batch->weights = weights.IsUndefined() ? nullptr : weights.As<Napi::Float64Array>().Data();
}

VectorLists lists_of(const Napi::Object& lists) {
  const Napi::Uint32Array lengths = lists.Get("lengths").As<Napi::Uint32Array>();
  return {lists.Get("data").As<Napi::Float32Array>().Data(), lengths.Data(), lengths.ElementLength()};
}

float* gradient_of(const Napi::Object& gradients, const char* name) {
  return gradients.Get(name).As<Napi::Float32Array>().Data();
}

Napi::Value begin_call(const Napi::CallbackInfo& info, std::shared_ptr<CancelFlag> cancel, unsigned threads,
                       AsyncCall::Work work, AsyncCall::Result result) {
  auto call = std::make_unique<AsyncCall>(info.Env(), std::move(cancel), std::move(work), std::move(result));
  for (std::size_t i = 0; i < info.Length(); ++i) call->pin(info[i].As<Napi::Object>());
  const Napi::Promise promise = call->promise();
  info.Env().GetInstanceData<AddonInstance>()->begin(std::move(call), threads);
  return promise;
}

}  // namespace

Napi::Value in_batch_contrast_call(const Napi::CallbackInfo& info) {
  const Napi::Float32Array queries = info[0].As<Napi::Float32Array>();
  const Napi::Float32Array documents = info[1].As<Napi::Float32Array>();
  const Napi::Object options = info[2].As<Napi::Object>();
  const Napi::Object gradients = info[3].As<Napi::Object>();
  const std::shared_ptr<CancelFlag> cancel = cancel_flag(options.Get("cancel"));
  const unsigned threads = thread_count(options);
  ContrastBatch batch;
  read_options(options, &batch);
  batch.positives = optional_uint32(options, "positives");
  batch.excluded_ends = optional_uint32(options, "excludedEnds");
  batch.excluded = optional_uint32(options, "excluded");
  batch.queries = queries.Data();
  batch.query_count = queries.ElementLength() / batch.dimension;
  batch.documents = documents.Data();
  batch.document_count = documents.ElementLength() / batch.dimension;
  const auto out = std::make_shared<ContrastGradients>();
  out->queries = gradient_of(gradients, "queries");
  out->documents = gradient_of(gradients, "documents");
  return begin_call(
      info, cancel, threads,
      [engine = info.Env().GetInstanceData<AddonInstance>()->engine(), batch, threads, cancel, out] {
        return in_batch_contrast({engine->pool, *engine->kernels.table, threads, *cancel}, batch,
                                 kKeptSimilarityBytes, out.get());
      },
      [out](Napi::Env env) -> Napi::Value {
        Napi::Object result = Napi::Object::New(env);
        result.Set("loss", Napi::Number::New(env, out->loss));
        result.Set("temperatureGradient", Napi::Number::New(env, out->temperature));
        return result;
      });
}

Napi::Value patch_contrast_call(const Napi::CallbackInfo& info) {
  const Napi::Object options = info[2].As<Napi::Object>();
  const Napi::Object gradients = info[3].As<Napi::Object>();
  const std::shared_ptr<CancelFlag> cancel = cancel_flag(options.Get("cancel"));
  const unsigned threads = thread_count(options);
  PatchContrastBatch batch;
  read_options(options, &batch);
  batch.texts = lists_of(info[0].As<Napi::Object>());
  batch.images = lists_of(info[1].As<Napi::Object>());
  batch.score = static_cast<PatchScore>(uint32_property(options, "score"));
  batch.attention_temperature = double_property(options, "attentionTemperature");
  const auto out = std::make_shared<PatchGradients>();
  out->words = gradient_of(gradients, "words");
  out->patches = gradient_of(gradients, "patches");
  return begin_call(
      info, cancel, threads,
      [engine = info.Env().GetInstanceData<AddonInstance>()->engine(), batch, threads, cancel, out] {
        return patch_contrast({engine->pool, *engine->kernels.table, threads, *cancel}, batch, out.get());
      },
      [out](Napi::Env env) -> Napi::Value {
        Napi::Object result = Napi::Object::New(env);
        result.Set("loss", Napi::Number::New(env, out->loss));
        result.Set("temperatureGradient", Napi::Number::New(env, out->temperature));
        result.Set("attentionTemperatureGradient", Napi::Number::New(env, out->attention_temperature));
        return result;
      });
}

}  // namespace granule
