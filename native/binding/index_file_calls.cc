// The calls of an index that write and read its files.
#include <string>
#include <utility>
#include <vector>

#include "binding/arguments.h"
#include "binding/async_call.h"
#include "binding/index_binding.h"
#include "binding/segment_values.h"
#include "index/live_rows.h"
#include "index/segment_reader.h"
#include "index/segment_writer.h"

namespace granule {
namespace {

/// NativeSegmentFile of src/native/addon-types.ts.
SegmentFile segment_file(const Napi::Object& from) {
  SegmentFile out;
  out.path = from.Get("path").As<Napi::String>().Utf8Value();
  out.name = from.Get("file").As<Napi::String>().Utf8Value();
  out.header_bytes = count_property(from, "headerBytes");
  out.contents.row_count = count_property(from, "rows");
  out.contents.vector_count = count_property(from, "vectors");
  out.contents.coded = from.Get("coded").ToBoolean().Value();
  out.contents.biased = from.Get("biased").ToBoolean().Value();
  out.checksums = segment_checksums(from);
  return out;
}

}  // namespace

Napi::Value IndexBinding::write_segment(Napi::Env env, Napi::Object keeper, Napi::String path,
                                        uint64_t first_row, Napi::Value cancel_token) {
  const std::shared_ptr<CancelFlag> cancel = cancel_flag(cancel_token);
  const std::shared_ptr<SegmentStore> store = store_;
  const auto written = std::make_shared<WrittenSegment>();
  auto call = std::make_unique<AsyncCall>(
      env, cancel,
      [store, snapshot = store->snapshot(), path = path.Utf8Value(), first_row, threads = threads_, cancel,
       written] {
        return granule::write_segment(store->engine(), store->options(), *snapshot, first_row, path,
                                      kSegmentFileBytes, threads, *cancel, written.get());
      },
      [written](Napi::Env result_env) -> Napi::Value {
        Napi::Object result = written_segment(result_env, *written);
        result.Set("vectors", Napi::Number::New(result_env, static_cast<double>(written->vector_count)));
        return result;
      });
  call->pin(keeper);
  return begin(env, std::move(call));
}

Napi::Value IndexBinding::open_segments(Napi::Env env, Napi::Object keeper, Napi::Array files,
                                        Napi::Value removed, bool mapped, Napi::Value cancel_token) {
  const std::shared_ptr<CancelFlag> cancel = cancel_flag(cancel_token);
  const std::shared_ptr<SegmentStore> store = store_;
  const auto sources = std::make_shared<std::vector<SegmentFile>>();
  for (uint32_t i = 0; i < files.Length(); ++i)
    sources->push_back(segment_file(files.Get(i).As<Napi::Object>()));
  const uint8_t* removed_bits = removed.IsUndefined() ? nullptr : removed.As<Napi::Uint8Array>().Data();
  auto call = std::make_unique<AsyncCall>(
      env, cancel,
      [store, sources, removed_bits, mapped, threads = threads_, cancel] {
        std::vector<std::shared_ptr<Segment>> segments;
        Status status = granule::open_segments(store->shared_engine(), store->options(), *sources, mapped,
                                               threads, *cancel, &segments);
        return status.ok() ? store->adopt_files(segments, removed_bits) : status;
      },
      [this](Napi::Env result_env) -> Napi::Value {
        report_memory(result_env);
        return result_env.Undefined();
      });
  call->pin(keeper);
  if (removed_bits != nullptr) call->pin(removed.As<Napi::Object>());
  return begin(env, std::move(call));
}

Napi::Value IndexBinding::copy_removed(Napi::Env env, Napi::Object keeper, Napi::Uint8Array bits) {
  const std::shared_ptr<SegmentStore> store = store_;
  auto call = std::make_unique<AsyncCall>(
      env, std::make_shared<CancelFlag>(),
      [snapshot = store->snapshot(), out = bits.Data()] {
        copy_removed_rows(snapshot->live.get(), snapshot->row_count, out);
        return Status::success();
      },
      [](Napi::Env result_env) -> Napi::Value { return result_env.Undefined(); });
  call->pin(keeper);
  call->pin(bits);
  return begin(env, std::move(call));
}

}  // namespace granule
