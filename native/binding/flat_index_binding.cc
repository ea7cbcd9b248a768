#include "binding/flat_index_binding.h"

namespace granule {

Napi::Function FlatIndexBinding::define(Napi::Env env) {
  return DefineClass(
      env, "FlatIndex",
      {InstanceAccessor<&FlatIndexBinding::rows>("rows"), InstanceAccessor<&FlatIndexBinding::bytes>("bytes"),
       InstanceAccessor<&FlatIndexBinding::removed>("removed"),
       InstanceAccessor<&FlatIndexBinding::biased>("biased"), InstanceMethod<&FlatIndexBinding::add>("add"),
       InstanceMethod<&FlatIndexBinding::reserve>("reserve"),
       InstanceMethod<&FlatIndexBinding::remove>("remove"),
       InstanceMethod<&FlatIndexBinding::compact>("compact"),
       InstanceMethod<&FlatIndexBinding::adopt_compaction>("adoptCompaction"),
       InstanceMethod<&FlatIndexBinding::search>("search"), InstanceMethod<&FlatIndexBinding::read>("read"),
       InstanceMethod<&FlatIndexBinding::write_segment>("writeSegment"),
       InstanceMethod<&FlatIndexBinding::open_segments>("openSegments"),
       InstanceMethod<&FlatIndexBinding::copy_removed>("copyRemoved"),
       InstanceMethod<&FlatIndexBinding::dispose>("dispose")});
}

FlatIndexBinding::FlatIndexBinding(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<FlatIndexBinding>(info), IndexBinding(info, false) {}

Napi::Value FlatIndexBinding::rows(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), row_count());
}

Napi::Value FlatIndexBinding::bytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), IndexBinding::bytes());
}

Napi::Value FlatIndexBinding::add(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return IndexBinding::add(env, info.This().As<Napi::Object>(), info[0].As<Napi::Float32Array>(),
                           env.Undefined(), static_cast<uint64_t>(info[1].As<Napi::Number>().Int64Value()),
                           info[2], info[3]);
}

Napi::Value FlatIndexBinding::search(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return IndexBinding::search(env, info.This().As<Napi::Object>(), info[0].As<Napi::Float32Array>(),
                              env.Undefined(), info[1].As<Napi::Number>().Uint32Value(),
                              info[2].As<Napi::Object>());
}

Napi::Value FlatIndexBinding::read(const Napi::CallbackInfo& info) {
  return IndexBinding::read(info.Env(), info.This().As<Napi::Object>(), info[0].As<Napi::Uint32Array>(),
                            info.Env().Undefined(), info[1]);
}

Napi::Value FlatIndexBinding::removed(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), removed_count());
}

Napi::Value FlatIndexBinding::biased(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), IndexBinding::biased());
}

Napi::Value FlatIndexBinding::reserve(const Napi::CallbackInfo& info) {
  return IndexBinding::reserve(info.Env(), info.This().As<Napi::Object>(),
                               static_cast<uint64_t>(info[0].As<Napi::Number>().Int64Value()), info[1]);
}

Napi::Value FlatIndexBinding::remove(const Napi::CallbackInfo& info) {
  return IndexBinding::remove(info.Env(), info.This().As<Napi::Object>(), info[0].As<Napi::Uint32Array>());
}

Napi::Value FlatIndexBinding::compact(const Napi::CallbackInfo& info) {
  return IndexBinding::compact(info.Env(), info.This().As<Napi::Object>(), info[0]);
}

Napi::Value FlatIndexBinding::adopt_compaction(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), IndexBinding::adopt_compaction(info.Env()));
}

Napi::Value FlatIndexBinding::write_segment(const Napi::CallbackInfo& info) {
  return IndexBinding::write_segment(info.Env(), info.This().As<Napi::Object>(), info[0].As<Napi::String>(),
                                     static_cast<uint64_t>(info[1].As<Napi::Number>().Int64Value()), info[2]);
}

Napi::Value FlatIndexBinding::open_segments(const Napi::CallbackInfo& info) {
  return IndexBinding::open_segments(info.Env(), info.This().As<Napi::Object>(), info[0].As<Napi::Array>(),
                                     info[1], info[2].ToBoolean().Value(), info[3]);
}

Napi::Value FlatIndexBinding::copy_removed(const Napi::CallbackInfo& info) {
  return IndexBinding::copy_removed(info.Env(), info.This().As<Napi::Object>(),
                                    info[0].As<Napi::Uint8Array>());
}

void FlatIndexBinding::dispose(const Napi::CallbackInfo& info) { IndexBinding::dispose(info.Env()); }

}  // namespace granule
