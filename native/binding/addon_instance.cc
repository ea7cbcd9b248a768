#include "binding/addon_instance.h"

#include <algorithm>
#include <utility>

#include "binding/async_call.h"

namespace granule {

AddonInstance::AddonInstance(Napi::Env env, std::shared_ptr<Engine> engine, Napi::Function error_class)
    : engine_(std::move(engine)), error_class_(Napi::Persistent(error_class)) {
  waker_ = Waker::New(env, "granule", 0, 1, this);
  waker_.Unref(env);  // an idle addon does not keep the process alive
  // Runs before the environment (a worker thread, or the process) goes: no thread of ours may outlive it.
  env.AddCleanupHook([this] { close(); });
}

AddonInstance::~AddonInstance() { close(); }

void AddonInstance::begin(std::unique_ptr<AsyncCall> call, unsigned threads) {
  engine_->pool.grow_to(std::max(threads, ThreadPool::default_threads()));
  AsyncCall* const raw = call.release();
  if (live_.empty()) waker_.Ref(error_class_.Env());
  live_.insert(raw);
  engine_->pool.submit([this, raw] {
    raw->run();
    complete(raw);
  });
}

void AddonInstance::release(std::shared_ptr<const void> memory) {
  if (closed_ || engine_->pool.size() == 0) return;
  engine_->pool.submit([held = std::move(memory)]() mutable { held.reset(); });
}

void AddonInstance::complete(AsyncCall* call) {
  bool first;
  {
    std::lock_guard<std::mutex> lock(completed_mutex_);
    first = completed_.empty();
    completed_.push_back(call);
  }
  if (first) waker_.NonBlockingCall();
}

void AddonInstance::on_complete(Napi::Env env, Napi::Function, AddonInstance* instance, void*) {
  if (env != nullptr && instance != nullptr) instance->settle_completed(env);
}

void AddonInstance::settle_completed(Napi::Env env) {
  std::vector<AsyncCall*> completed;
  {
    std::lock_guard<std::mutex> lock(completed_mutex_);
    completed.swap(completed_);
  }
  for (AsyncCall* finished : completed) {
    Napi::HandleScope scope(env);
    live_.erase(finished);
    const std::unique_ptr<AsyncCall> call(finished);
    try {
      call->settle(env);
    } catch (const Napi::Error&) {
      // The environment is being terminated: nobody waits for the promise any more.
    }
  }
  if (live_.empty()) waker_.Unref(env);
}

void AddonInstance::close() {
  if (closed_) return;
  closed_ = true;
  for (AsyncCall* call : live_) call->cancel();
  engine_->pool.stop();
  for (AsyncCall* call : live_) delete call;
  live_.clear();
}

}  // namespace granule
