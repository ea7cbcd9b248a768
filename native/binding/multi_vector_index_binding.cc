#include "binding/multi_vector_index_binding.h"

namespace granule {

Napi::Function MultiVectorIndexBinding::define(Napi::Env env) {
  return DefineClass(env, "MultiVectorIndex",
                     {InstanceAccessor<&MultiVectorIndexBinding::rows>("rows"),
                      InstanceAccessor<&MultiVectorIndexBinding::vectors>("vectors"),
                      InstanceAccessor<&MultiVectorIndexBinding::bytes>("bytes"),
                      InstanceMethod<&MultiVectorIndexBinding::add>("add"),
                      InstanceMethod<&MultiVectorIndexBinding::search>("search"),
                      InstanceMethod<&MultiVectorIndexBinding::dispose>("dispose")});
}

MultiVectorIndexBinding::MultiVectorIndexBinding(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<MultiVectorIndexBinding>(info), IndexBinding(info, true) {}

Napi::Value MultiVectorIndexBinding::rows(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), row_count());
}

Napi::Value MultiVectorIndexBinding::vectors(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), vector_count());
}

Napi::Value MultiVectorIndexBinding::bytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), IndexBinding::bytes());
}

Napi::Value MultiVectorIndexBinding::add(const Napi::CallbackInfo& info) {
  const uint64_t documents = info[1].As<Napi::Uint32Array>().ElementLength();
  return IndexBinding::add(info.Env(), info.This().As<Napi::Object>(), info[0].As<Napi::Float32Array>(),
                           info[1], documents, info[2]);
}

Napi::Value MultiVectorIndexBinding::search(const Napi::CallbackInfo& info) {
  const uint64_t queries = info[1].As<Napi::Uint32Array>().ElementLength();
  return IndexBinding::search(info.Env(), info.This().As<Napi::Object>(), info[0].As<Napi::Float32Array>(),
                              info[1], queries, info[2].As<Napi::Object>());
}

void MultiVectorIndexBinding::dispose(const Napi::CallbackInfo& info) { IndexBinding::dispose(info.Env()); }

}  // namespace granule
