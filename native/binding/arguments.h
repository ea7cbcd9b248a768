#pragma once

#include <napi.h>

#include <cstdint>
#include <memory>

#include "binding/cancel_token_binding.h"
#include "core/cancel_flag.h"
#include "core/thread_pool.h"

namespace granule {

/// Reading of arguments that JavaScript has already checked.

inline uint32_t uint32_property(const Napi::Object& object, const char* name) {
  return object.Get(name).As<Napi::Number>().Uint32Value();
}

inline double double_property(const Napi::Object& object, const char* name) {
  return object.Get(name).As<Napi::Number>().DoubleValue();
}

inline uint64_t count_property(const Napi::Object& object, const char* name) {
  return static_cast<uint64_t>(object.Get(name).As<Napi::Number>().Int64Value());
}

/// The flag of a cancel token, or one that nobody sets.
inline std::shared_ptr<CancelFlag> cancel_flag(const Napi::Value& token) {
  if (!token.IsObject()) return std::make_shared<CancelFlag>();
  return CancelTokenBinding::Unwrap(token.As<Napi::Object>())->flag();
}

inline unsigned thread_count(const Napi::Object& options) {
  const uint32_t threads = uint32_property(options, "threads");
  return threads != 0 ? threads : ThreadPool::default_threads();
}

}  // namespace granule
