#pragma once

#include <napi.h>

#include <memory>

#include "binding/async_call.h"
#include "binding/reported_memory.h"
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
  double removed_count() const;
  bool biased() const;
  double bytes() const;
  /// Tells V8 how the memory behind the object has shrunk, or that it has grown several times over since the
  /// last report.
  void report_memory(Napi::Env env);
  void dispose(Napi::Env env);

  /// Appends; the promise resolves to the first row's number. `biases` may be undefined. `keeper` is the
  /// JavaScript object of this index.
  Napi::Value add(Napi::Env env, Napi::Object keeper, Napi::Float32Array vectors, Napi::Value lengths,
                  uint64_t row_count, Napi::Value biases, Napi::Value cancel_token);

  /// Makes room for vectors in memory that is there already.
  Napi::Value reserve(Napi::Env env, Napi::Object keeper, uint64_t vectors, Napi::Value cancel_token);

  /// Removes; the promise resolves to how many rows went.
  Napi::Value remove(Napi::Env env, Napi::Object keeper, Napi::Uint32Array rows);

  /// Prepares a compaction; the promise resolves to the former number of each row.
  Napi::Value compact(Napi::Env env, Napi::Object keeper, Napi::Value cancel_token);

  /// Shows the rows of the compaction that was prepared; false where there is none that fits.
  bool adopt_compaction(Napi::Env env);

  /// Writes rows from `first_row` on to a file, as many as go into one; the promise resolves to a
  /// NativeWrittenSegment.
  Napi::Value write_segment(Napi::Env env, Napi::Object keeper, Napi::String path, uint64_t first_row,
                            Napi::Value cancel_token);

  /// Fills an index without rows from files. `removed` is a bitset, or undefined.
  Napi::Value open_segments(Napi::Env env, Napi::Object keeper, Napi::Array files, Napi::Value removed,
                            bool mapped, Napi::Value cancel_token);

  /// Fills `bits`, one per row, with which rows are removed.
  Napi::Value copy_removed(Napi::Env env, Napi::Object keeper, Napi::Uint8Array bits);

  /// Reads stored vectors; the promise resolves to a Float32Array. `lengths`, one per row, receives how many
  /// vectors each document has; undefined where rows are vectors.
  Napi::Value read(Napi::Env env, Napi::Object keeper, Napi::Uint32Array rows, Napi::Value lengths,
                   Napi::Value cancel_token);

  /// Searches; `lengths` is undefined where each query is one vector.
  Napi::Value search(Napi::Env env, Napi::Object keeper, Napi::Float32Array queries, Napi::Value lengths,
                     uint64_t query_count, Napi::Object options);

 private:
  Napi::Value begin(Napi::Env env, std::unique_ptr<AsyncCall> call);

  std::shared_ptr<SegmentStore> store_;
  std::shared_ptr<Compaction> compaction_;
  const granule_backend* backend_;
  unsigned threads_;
  ReportedMemory reported_;
  Napi::Env env_;
};

}  // namespace granule
