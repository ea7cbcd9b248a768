#include "binding/training_contrast_binding.h"

#include <memory>

#include "binding/training_arguments.h"
#include "training/contrast_of_towers.h"
#include "training/in_batch_contrast.h"
#include "training/patch_contrast.h"

namespace granule {
namespace {

/// What both batches have.
template <typename Batch>
void read_options(const Napi::Object& options, Batch* batch) {
  batch->dimension = uint32_property(options, "dimension");
  batch->temperature = double_property(options, "temperature");
  batch->direction = static_cast<ContrastDirection>(uint32_property(options, "direction"));
  batch->groups = data_property<Napi::Uint32Array>(options, "groups");
  batch->weights = data_property<Napi::Float64Array>(options, "weights");
}

VectorLists lists_of(const Napi::Object& lists) {
  const Napi::Uint32Array lengths = lists.Get("lengths").As<Napi::Uint32Array>();
  return {lists.Get("data").As<Napi::Float32Array>().Data(), lengths.Data(), lengths.ElementLength()};
}

float* gradient_of(const Napi::Object& gradients, const char* name) {
  return gradients.Get(name).As<Napi::Float32Array>().Data();
}

/// Which pairs of a batch are positives, and which are nothing.
void read_pairs(const Napi::Object& options, ContrastBatch* batch) {
  batch->positives = data_property<Napi::Uint32Array>(options, "positives");
  batch->excluded_ends = data_property<Napi::Uint32Array>(options, "excludedEnds");
  batch->excluded = data_property<Napi::Uint32Array>(options, "excluded");
}

Napi::Object contrast_result(Napi::Env env, double loss, double temperature) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("loss", Napi::Number::New(env, loss));
  result.Set("temperatureGradient", Napi::Number::New(env, temperature));
  return result;
}

/// A side of a batch; `shape` is where a tower's shape goes.
ContrastTower contrast_tower(const Napi::Object& side, std::size_t dimension, TowerShape* shape) {
  const Napi::Float32Array inputs = side.Get("inputs").As<Napi::Float32Array>();
  ContrastTower out{nullptr, {}, {}, inputs.Data(), 0};
  if (side.Get("shape").IsObject()) {
    *shape = tower_shape(side.Get("shape").As<Napi::Object>());
    out.shape = shape;
    out.parameters = tower_tensors<const float>(side.Get("parameters").As<Napi::Object>());
    out.gradients = tower_tensors<float>(side.Get("gradients").As<Napi::Object>());
  }
  out.rows = inputs.ElementLength() / (out.shape == nullptr ? dimension : shape->input);
  return out;
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
  read_pairs(options, &batch);
  batch.queries = queries.Data();
  batch.query_count = queries.ElementLength() / batch.dimension;
  batch.documents = documents.Data();
  batch.document_count = documents.ElementLength() / batch.dimension;
  const auto out = std::make_shared<ContrastGradients>();
  out->queries = gradient_of(gradients, "queries");
  out->documents = gradient_of(gradients, "documents");
  return begin_training_call(
      info, cancel, threads,
      [engine = info.Env().GetInstanceData<AddonInstance>()->engine(), batch, threads, cancel, out] {
        return in_batch_contrast({engine->pool, *engine->kernels.table, threads, *cancel}, batch,
                                 kKeptSimilarityBytes, out.get());
      },
      [out](Napi::Env env) -> Napi::Value { return contrast_result(env, out->loss, out->temperature); });
}

Napi::Value in_batch_contrast_of_towers_call(const Napi::CallbackInfo& info) {
  struct Call {
    ContrastBatch batch{};
    TowerShape query_shape{}, document_shape{};
    ContrastTower query{}, document{};
    ContrastOfTowers out{};
  };
  const Napi::Object options = info[2].As<Napi::Object>();
  const std::shared_ptr<CancelFlag> cancel = cancel_flag(options.Get("cancel"));
  const unsigned threads = thread_count(options);
  const auto call = std::make_shared<Call>();
  read_options(options, &call->batch);
  read_pairs(options, &call->batch);
  call->query = contrast_tower(info[0].As<Napi::Object>(), call->batch.dimension, &call->query_shape);
  call->document = contrast_tower(info[1].As<Napi::Object>(), call->batch.dimension, &call->document_shape);
  return begin_training_call(
      info, cancel, threads,
      [engine = info.Env().GetInstanceData<AddonInstance>()->engine(), threads, cancel, call] {
        return contrast_of_towers({engine->pool, *engine->kernels.table, threads, *cancel}, call->query,
                                  call->document, call->batch, kKeptSimilarityBytes, &call->out);
      },
      [call](Napi::Env env) -> Napi::Value {
        return contrast_result(env, call->out.loss, call->out.temperature);
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
  return begin_training_call(
      info, cancel, threads,
      [engine = info.Env().GetInstanceData<AddonInstance>()->engine(), batch, threads, cancel, out] {
        return patch_contrast({engine->pool, *engine->kernels.table, threads, *cancel}, batch, out.get());
      },
      [out](Napi::Env env) -> Napi::Value {
        Napi::Object result = contrast_result(env, out->loss, out->temperature);
        result.Set("attentionTemperatureGradient", Napi::Number::New(env, out->attention_temperature));
        return result;
      });
}

}  // namespace granule
