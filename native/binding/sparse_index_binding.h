#pragma once

#include <napi.h>

#include <memory>

#include "binding/async_call.h"
#include "binding/reported_memory.h"
#include "index/sparse/sparse_store.h"

namespace granule {

/// NativeSparseIndex of src/native/addon-types.ts.
class SparseIndexBinding : public Napi::ObjectWrap<SparseIndexBinding> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit SparseIndexBinding(const Napi::CallbackInfo& info);
  ~SparseIndexBinding() override;

 private:
  Napi::Value rows(const Napi::CallbackInfo& info);
  Napi::Value removed(const Napi::CallbackInfo& info);
  Napi::Value bytes(const Napi::CallbackInfo& info);
  Napi::Value postings(const Napi::CallbackInfo& info);
  Napi::Value total_length(const Napi::CallbackInfo& info);
  Napi::Value document_frequencies(const Napi::CallbackInfo& info);
  Napi::Value add(const Napi::CallbackInfo& info);
  Napi::Value search(const Napi::CallbackInfo& info);
  Napi::Value remove(const Napi::CallbackInfo& info);
  Napi::Value compact(const Napi::CallbackInfo& info);
  Napi::Value adopt_compaction(const Napi::CallbackInfo& info);
  Napi::Value write_segment(const Napi::CallbackInfo& info);
  Napi::Value open_segments(const Napi::CallbackInfo& info);
  Napi::Value copy_removed(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo& info);

  /// Of the state that is shown; 0 once disposed.
  template <typename Number>
  Napi::Value number_of(Napi::Env env, Number SparseSnapshot::*member) const;
  void report_memory(Napi::Env env);
  void release(Napi::Env env);
  Napi::Value begin(Napi::Env env, Napi::Object keeper, std::unique_ptr<AsyncCall> call);

  std::shared_ptr<SparseStore> store_;
  std::shared_ptr<SparseCompaction> compaction_;
  unsigned threads_;
  ReportedMemory reported_;
  Napi::Env env_;
};

}  // namespace granule
