#include "binding/multi_vector_index_binding.h"

namespace granule {

Napi::Function MultiVectorIndexBinding::define(Napi::Env env) {
  return DefineClass(env, "MultiVectorIndex",
                     {InstanceAccessor<&MultiVectorIndexBinding::rows>("rows"),
                      InstanceAccessor<&MultiVectorIndexBinding::vectors>("vectors"),
                      InstanceAccessor<&MultiVectorIndexBinding::bytes>("bytes"),
                      InstanceAccessor<&MultiVectorIndexBinding::removed>("removed"),
                      InstanceAccessor<&MultiVectorIndexBinding::biased>("biased"),
                      InstanceMethod<&MultiVectorIndexBinding::add>("add"),
                      InstanceMethod<&MultiVectorIndexBinding::reserve>("reserve"),
                      InstanceMethod<&MultiVectorIndexBinding::remove>("remove"),
                      InstanceMethod<&MultiVectorIndexBinding::compact>("compact"),
                      InstanceMethod<&MultiVectorIndexBinding::adopt_compaction>("adoptCompaction"),
                      InstanceMethod<&MultiVectorIndexBinding::search>("search"),
                      InstanceMethod<&MultiVectorIndexBinding::read>("read"),
                      InstanceMethod<&MultiVectorIndexBinding::write_segment>("writeSegment"),
                      InstanceMethod<&MultiVectorIndexBinding::open_segments>("openSegments"),
                      InstanceMethod<&MultiVectorIndexBinding::copy_removed>("copyRemoved"),
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
                           info[1], documents, info[2], info[3]);
}

Napi::Value MultiVectorIndexBinding::search(const Napi::CallbackInfo& info) {
  const uint64_t queries = info[1].As<Napi::Uint32Array>().ElementLength();
  return IndexBinding::search(info.Env(), info.This().As<Napi::Object>(), info[0].As<Napi::Float32Array>(),
                              info[1], queries, info[2].As<Napi::Object>());
}

Napi::Value MultiVectorIndexBinding::read(const Napi::CallbackInfo& info) {
  return IndexBinding::read(info.Env(), info.This().As<Napi::Object>(), info[0].As<Napi::Uint32Array>(),
                            info[1], info[2]);
}

Napi::Value MultiVectorIndexBinding::removed(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), removed_count());
}

Napi::Value MultiVectorIndexBinding::biased(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), IndexBinding::biased());
}

Napi::Value MultiVectorIndexBinding::reserve(const Napi::CallbackInfo& info) {
  return IndexBinding::reserve(info.Env(), info.This().As<Napi::Object>(),
                               static_cast<uint64_t>(info[0].As<Napi::Number>().Int64Value()), info[1]);
}

Napi::Value MultiVectorIndexBinding::remove(const Napi::CallbackInfo& info) {
  return IndexBinding::remove(info.Env(), info.This().As<Napi::Object>(), info[0].As<Napi::Uint32Array>());
}

Napi::Value MultiVectorIndexBinding::compact(const Napi::CallbackInfo& info) {
  return IndexBinding::compact(info.Env(), info.This().As<Napi::Object>(), info[0]);
}

Napi::Value MultiVectorIndexBinding::adopt_compaction(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), IndexBinding::adopt_compaction(info.Env()));
}

Napi::Value MultiVectorIndexBinding::write_segment(const Napi::CallbackInfo& info) {
  return IndexBinding::write_segment(info.Env(), info.This().As<Napi::Object>(), info[0].As<Napi::String>(),
                                     static_cast<uint64_t>(info[1].As<Napi::Number>().Int64Value()), info[2]);
}

Napi::Value MultiVectorIndexBinding::open_segments(const Napi::CallbackInfo& info) {
  return IndexBinding::open_segments(info.Env(), info.This().As<Napi::Object>(), info[0].As<Napi::Array>(),
                                     info[1], info[2].ToBoolean().Value(), info[3]);
}

Napi::Value MultiVectorIndexBinding::copy_removed(const Napi::CallbackInfo& info) {
  return IndexBinding::copy_removed(info.Env(), info.This().As<Napi::Object>(),
                                    info[0].As<Napi::Uint8Array>());
}

void MultiVectorIndexBinding::dispose(const Napi::CallbackInfo& info) { IndexBinding::dispose(info.Env()); }

}  // namespace granule
