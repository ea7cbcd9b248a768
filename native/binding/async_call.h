#pragma once

#include <napi.h>

#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "binding/addon_instance.h"
#include "binding/errors.h"
#include "core/cancel_flag.h"
#include "core/status.h"

namespace granule {

/// One promise: `work` runs on a thread of the engine and touches nothing of V8; `result` makes the value
/// afterwards, on the JavaScript thread. Pinned objects (the caller's arrays, the result's arrays) stay alive
/// until then.
class AsyncCall {
 public:
  using Work = std::function<Status()>;
  using Result = std::function<Napi::Value(Napi::Env)>;

  AsyncCall(Napi::Env env, std::shared_ptr<CancelFlag> cancel, Work work, Result result)
      : deferred_(Napi::Promise::Deferred::New(env)),
        cancel_(std::move(cancel)),
        work_(std::move(work)),
        result_(std::move(result)) {}

  void pin(Napi::Object object) { pinned_.push_back(Napi::Persistent(object)); }
  Napi::Promise promise() const { return deferred_.Promise(); }
  void cancel() { cancel_->cancel(); }

  /// On a thread of the engine.
  void run() noexcept {
    try {
      status_ = work_();
    } catch (const std::bad_alloc&) {
      status_ = Status{StatusCode::out_of_memory, "not enough memory", -1, -1};
    } catch (const std::exception& error) {
      status_ = Status{StatusCode::internal, error.what(), -1, -1};
    }
    // What it held may be the last of an index that was disposed of meanwhile: freed here, for that takes
    // time.
    work_ = nullptr;
  }

  /// On the JavaScript thread.
  void settle(Napi::Env env) {
    if (status_.ok()) {
      deferred_.Resolve(result_(env));
    } else {
      deferred_.Reject(to_error(env, status_));
    }
  }

 private:
  Napi::Promise::Deferred deferred_;
  std::shared_ptr<CancelFlag> cancel_;
  Work work_;
  Result result_;
  std::vector<Napi::ObjectReference> pinned_;
  Status status_;
};

}  // namespace granule
