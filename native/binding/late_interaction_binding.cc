#include "binding/late_interaction_binding.h"

#include <memory>
#include <utility>

#include "binding/arguments.h"
#include "binding/async_call.h"
#include "late_interaction/document_scores.h"
#include "late_interaction/similarity_tile.h"

namespace granule {
namespace {

/// The numbers of an array that may be undefined; null where it is.
const float* floats_or_null(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  return value.IsUndefined() ? nullptr : value.As<Napi::Float32Array>().Data();
}

MultiVectorScoring scoring_of(const Napi::Object& options) {
  MultiVectorScoring scoring;
  scoring.score = static_cast<MultiVectorScore>(uint32_property(options, "score"));
  const Napi::Value weights = options.Get("weights");
  scoring.weights = weights.IsUndefined() ? nullptr : weights.As<Napi::Float64Array>().Data();
  scoring.temperature = double_property(options, "temperature");
  scoring.most = uint32_property(options, "most");
  scoring.direction = static_cast<FilipDirection>(uint32_property(options, "direction"));
  scoring.mixing.words = floats_or_null(options, "wordMixing");
  scoring.mixing.over_patches = floats_or_null(options, "overPatchesMixing");
  scoring.mixing.patches = floats_or_null(options, "patchMixing");
  scoring.mixing.over_words = floats_or_null(options, "overWordsMixing");
  return scoring;
}

Napi::Value undefined(Napi::Env env) { return env.Undefined(); }

}  // namespace

Napi::Value score_documents_call(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  AddonInstance* instance = env.GetInstanceData<AddonInstance>();
  const Napi::Float32Array query = info[0].As<Napi::Float32Array>();
  const Napi::Float32Array documents = info[1].As<Napi::Float32Array>();
  const Napi::Uint32Array lengths = info[2].As<Napi::Uint32Array>();
  const Napi::Object options = info[3].As<Napi::Object>();
  const Napi::Object result = info[4].As<Napi::Object>();
  const std::shared_ptr<CancelFlag> cancel = cancel_flag(options.Get("cancel"));

  DocumentScoring job;
  job.query = query.Data();
  job.dimension = uint32_property(options, "dimension");
  job.query_vectors = query.ElementLength() / job.dimension;
  job.documents = documents.Data();
  job.lengths = lengths.Data();
  job.document_count = lengths.ElementLength();
  job.scoring = scoring_of(options);
  job.threads = thread_count(options);
  DocumentScores out;
  out.scores = result.Get("scores").As<Napi::Float64Array>().Data();
  out.vectors = result.Get("vectors").As<Napi::Uint32Array>().Data();
  out.similarities = result.Get("similarities").As<Napi::Float32Array>().Data();

  auto call = std::make_unique<AsyncCall>(
      env, cancel,
      [engine = instance->engine(), job, out, cancel] {
        return score_documents(engine->pool, *engine->kernels.table, job, *cancel, out);
      },
      undefined);
  call->pin(query);
  call->pin(documents);
  call->pin(lengths);
  call->pin(options);
  call->pin(result);
  const Napi::Promise promise = call->promise();
  instance->begin(std::move(call), job.threads);
  return promise;
}

Napi::Value similarity_tile_call(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  AddonInstance* instance = env.GetInstanceData<AddonInstance>();
  const Napi::Float32Array query = info[0].As<Napi::Float32Array>();
  const Napi::Float32Array document = info[1].As<Napi::Float32Array>();
  const Napi::Object options = info[2].As<Napi::Object>();
  Napi::Float32Array tile = info[3].As<Napi::Float32Array>();
  const std::shared_ptr<CancelFlag> cancel = cancel_flag(options.Get("cancel"));
  const unsigned threads = thread_count(options);
  const std::size_t dimension = uint32_property(options, "dimension");
  const VectorPair pair{query.Data(), query.ElementLength() / dimension, document.Data(),
                        document.ElementLength() / dimension, dimension};

  auto call = std::make_unique<AsyncCall>(
      env, cancel,
      [engine = instance->engine(), pair, threads, cancel, out = tile.Data()] {
        return similarity_tile(engine->pool, threads, *engine->kernels.table, pair, *cancel, out);
      },
      undefined);
  call->pin(query);
  call->pin(document);
  call->pin(tile);
  const Napi::Promise promise = call->promise();
  instance->begin(std::move(call), threads);
  return promise;
}

}  // namespace granule
