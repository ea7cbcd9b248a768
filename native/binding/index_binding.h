#pragma once

#include <napi.h>

#include <memory>

#include "index/search.h"
#include "index/segment_store.h"

namespace granule {

/// What the two index classes share: a store, the threads, the memory reported to V8, and the arrays of a
/// result.
class IndexBinding {
 public:
  IndexBinding(const Napi::CallbackInfo& info, bool documents);
  ~IndexBinding();

 protected:
  struct ResultArrays;

  double row_count() const;
  double vector_count() const;
  double bytes() const;
  /// Tells V8 how the memory behind the object has grown or shrunk.
  void report_memory(Napi::Env env);
  void dispose(Napi::Env env);

  /// Appends; the promise resolves to the first row's number. `keeper` is the JavaScript object of this
  /// index.
  Napi::Value add(Napi::Env env, Napi::Object keeper, Napi::Float32Array vectors, Napi::Value lengths,
                  uint64_t row_count, Napi::Value cancel_token);

  /// Searches; `lengths` is undefined where each query is one vector.
  Napi::Value search(Napi::Env env, Napi::Object keeper, Napi::Float32Array queries, Napi::Value lengths,
                     uint64_t query_count, Napi::Object options);

 private:
  std::shared_ptr<SegmentStore> store_;
  const granule_backend* backend_;
  unsigned threads_;
  int64_t reported_bytes_ = 0;
  Napi::Env env_;
};

}  // namespace granule
