#include "binding/pooling_binding.h"

#include <memory>
#include <utility>

#include "binding/arguments.h"
#include "binding/async_call.h"
#include "pooling/vector_pooling.h"

namespace granule {

Napi::Value pool_vectors_call(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  AddonInstance* instance = env.GetInstanceData<AddonInstance>();
  const Napi::Float32Array vectors = info[0].As<Napi::Float32Array>();
  const Napi::Uint32Array lengths = info[1].As<Napi::Uint32Array>();
  const Napi::Uint32Array kept = info[2].As<Napi::Uint32Array>();
  const Napi::Object options = info[3].As<Napi::Object>();
  const Napi::Object result = info[4].As<Napi::Object>();
  const std::shared_ptr<CancelFlag> cancel = cancel_flag(options.Get("cancel"));

  DocumentsToPool documents;
  documents.vectors = vectors.Data();
  documents.dimension = uint32_property(options, "dimension");
  documents.metric = static_cast<Metric>(uint32_property(options, "metric"));
  documents.lengths = lengths.Data();
  documents.kept = kept.Data();
  documents.document_count = lengths.ElementLength();
  documents.method = static_cast<PoolingMethod>(uint32_property(options, "method"));
  documents.protect = uint32_property(options, "protect");
  documents.threads = thread_count(options);
  PooledDocuments out;
  out.vectors = result.Get("vectors").As<Napi::Float32Array>().Data();
  out.lengths = result.Get("lengths").As<Napi::Uint32Array>().Data();
  out.offsets = result.Get("offsets").As<Napi::Uint32Array>().Data();
  out.rows = result.Get("rows").As<Napi::Uint32Array>().Data();
  out.radii = result.Get("radii").As<Napi::Float32Array>().Data();

  const auto pooled_count = std::make_shared<uint64_t>(0);
  auto call = std::make_unique<AsyncCall>(
      env, cancel,
      [engine = instance->engine(), documents, out, cancel, pooled_count] {
        return pool_vectors(engine->pool, documents, *cancel, out, pooled_count.get());
      },
      [pooled_count](Napi::Env result_env) -> Napi::Value {
        return Napi::Number::New(result_env, static_cast<double>(*pooled_count));
      });
  call->pin(vectors);
  call->pin(lengths);
  call->pin(kept);
  call->pin(result);
  const Napi::Promise promise = call->promise();
  instance->begin(std::move(call), documents.threads);
  return promise;
}

}  // namespace granule
