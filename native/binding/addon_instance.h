#pragma once

#include <napi.h>

#include <memory>
#include <mutex>
#include <unordered_set>
#include <vector>

#include "index/engine.h"

namespace granule {

class AsyncCall;

/// What one load of the addon owns: nothing is global, so that worker threads and several copies of the
/// package live side by side. Lives on its JavaScript thread; only `complete` may be called elsewhere.
class AddonInstance {
 public:
  /// @param error_class the GranuleError class
  AddonInstance(Napi::Env env, std::shared_ptr<Engine> engine, Napi::Function error_class);
  ~AddonInstance();
  AddonInstance(const AddonInstance&) = delete;
  AddonInstance& operator=(const AddonInstance&) = delete;

  const std::shared_ptr<Engine>& engine() const { return engine_; }
  Napi::Function error_class() const { return error_class_.Value(); }

  /// Runs a call on the engine's threads. The instance owns it until its promise is settled or the
  /// environment ends.
  void begin(std::unique_ptr<AsyncCall> call, unsigned threads);

  /// Drops the last reference to something large away from the JavaScript thread: returning memory takes
  /// time.
  void release(std::shared_ptr<const void> memory);

 private:
  static void on_complete(Napi::Env env, Napi::Function callback, AddonInstance* instance, void* data);
  using Waker = Napi::TypedThreadSafeFunction<AddonInstance, void, on_complete>;

  /// Called by a worker when a call's work is done.
  void complete(AsyncCall* call);
  void settle_completed(Napi::Env env);
  void close();

  std::shared_ptr<Engine> engine_;
  Napi::FunctionReference error_class_;
  Waker waker_;
  bool closed_ = false;
  std::unordered_set<AsyncCall*> live_;

  std::mutex completed_mutex_;
  std::vector<AsyncCall*> completed_;
};

}  // namespace granule
