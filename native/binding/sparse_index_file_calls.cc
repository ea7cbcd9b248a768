// The calls of a sparse index that write and read its files.
#include <string>
#include <utility>
#include <vector>

#include "binding/arguments.h"
#include "binding/segment_values.h"
#include "binding/sparse_index_binding.h"
#include "index/live_rows.h"
#include "index/sparse/sparse_segment_file.h"

namespace granule {
namespace {

/// NativeSparseSegmentFile of src/native/addon-types.ts.
SparseSegmentFile segment_file(const Napi::Object& from) {
  SparseSegmentFile out;
  out.path = from.Get("path").As<Napi::String>().Utf8Value();
  out.name = from.Get("file").As<Napi::String>().Utf8Value();
  out.header_bytes = count_property(from, "headerBytes");
  out.row_count = count_property(from, "rows");
  out.term_count = count_property(from, "terms");
  out.posting_count = count_property(from, "postings");
  out.checksums = segment_checksums(from);
  return out;
}

}  // namespace

Napi::Value SparseIndexBinding::write_segment(const Napi::CallbackInfo& info) {
  const std::shared_ptr<CancelFlag> cancel = cancel_flag(info[2]);
  const auto written = std::make_shared<WrittenSegment>();
  auto call = std::make_unique<AsyncCall>(
      info.Env(), cancel,
      [store = store_, snapshot = store_->snapshot(), path = info[0].As<Napi::String>().Utf8Value(),
       first_row = static_cast<uint64_t>(info[1].As<Napi::Number>().Int64Value()), threads = threads_, cancel,
       written] {
        return write_sparse_segment(store->engine(), *snapshot, store->saturating(), first_row, path, threads,
                                    *cancel, written.get());
      },
      [written](Napi::Env env) -> Napi::Value { return written_segment(env, *written); });
  return begin(info.Env(), info.This().As<Napi::Object>(), std::move(call));
}

Napi::Value SparseIndexBinding::open_segments(const Napi::CallbackInfo& info) {
  const Napi::Array files = info[0].As<Napi::Array>();
  const auto sources = std::make_shared<std::vector<SparseSegmentFile>>();
  for (uint32_t i = 0; i < files.Length(); ++i)
    sources->push_back(segment_file(files.Get(i).As<Napi::Object>()));
  const bool has_removed = !info[1].IsUndefined();
  const uint8_t* const removed = has_removed ? info[1].As<Napi::Uint8Array>().Data() : nullptr;
  const std::shared_ptr<CancelFlag> cancel = cancel_flag(info[3]);
  auto call = std::make_unique<AsyncCall>(
      info.Env(), cancel,
      [store = store_, sources, removed, threads = threads_, cancel] {
        std::vector<std::shared_ptr<const SparseSegment>> segments;
        Status status =
            open_sparse_segments(store->engine(), store->saturating(), *sources, threads, *cancel, &segments);
        if (!status.ok()) return status;
        return store->adopt_files(std::move(segments), removed, threads, *cancel);
      },
      [this](Napi::Env env) -> Napi::Value {
        report_memory(env);
        return env.Undefined();
      });
  if (has_removed) call->pin(info[1].As<Napi::Object>());
  return begin(info.Env(), info.This().As<Napi::Object>(), std::move(call));
}

Napi::Value SparseIndexBinding::copy_removed(const Napi::CallbackInfo& info) {
  auto bits = info[0].As<Napi::Uint8Array>();
  auto call = std::make_unique<AsyncCall>(
      info.Env(), std::make_shared<CancelFlag>(),
      [snapshot = store_->snapshot(), out = bits.Data()] {
        copy_removed_rows(snapshot->live.get(), snapshot->row_count, out);
        return Status::success();
      },
      [](Napi::Env env) -> Napi::Value { return env.Undefined(); });
  call->pin(bits);
  return begin(info.Env(), info.This().As<Napi::Object>(), std::move(call));
}

}  // namespace granule
