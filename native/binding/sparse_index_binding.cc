#include "binding/sparse_index_binding.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "binding/addon_instance.h"
#include "binding/arguments.h"
#include "index/sparse/sparse_search.h"

namespace granule {
namespace {

/// NativeSparseRows, and the arrays to pin while it is read.
struct RowsArgument {
  explicit RowsArgument(const Napi::Value& value) {
    const auto from = value.As<Napi::Object>();
    const auto lengths = from.Get("lengths").As<Napi::Uint32Array>();
    const auto terms = from.Get("terms").As<Napi::Uint32Array>();
    const auto values = from.Get("values").As<Napi::Float32Array>();
    rows = {lengths.Data(), lengths.ElementLength(), terms.Data(), values.Data(), terms.ElementLength()};
    arrays = {lengths, terms, values};
  }

  void pin_to(AsyncCall* call) const {
    for (const Napi::Object& array : arrays) call->pin(array);
  }

  SparseRows rows;
  std::vector<Napi::Object> arrays;
};

}  // namespace

Napi::Function SparseIndexBinding::define(Napi::Env env) {
  using Binding = SparseIndexBinding;
  return DefineClass(
      env, "SparseIndex",
      {InstanceAccessor<&Binding::rows>("rows"), InstanceAccessor<&Binding::removed>("removed"),
       InstanceAccessor<&Binding::bytes>("bytes"), InstanceAccessor<&Binding::postings>("postings"),
       InstanceAccessor<&Binding::total_length>("totalLength"),
       InstanceMethod<&Binding::document_frequencies>("documentFrequencies"),
       InstanceMethod<&Binding::add>("add"), InstanceMethod<&Binding::search>("search"),
       InstanceMethod<&Binding::remove>("remove"), InstanceMethod<&Binding::compact>("compact"),
       InstanceMethod<&Binding::adopt_compaction>("adoptCompaction"),
       InstanceMethod<&Binding::write_segment>("writeSegment"),
       InstanceMethod<&Binding::open_segments>("openSegments"),
       InstanceMethod<&Binding::copy_removed>("copyRemoved"), InstanceMethod<&Binding::dispose>("dispose")});
}

SparseIndexBinding::SparseIndexBinding(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<SparseIndexBinding>(info), threads_(1), env_(info.Env()) {
  const Napi::Object options = info[0].As<Napi::Object>();
  threads_ = thread_count(options);
  store_ = std::make_shared<SparseStore>(env_.GetInstanceData<AddonInstance>()->engine(),
                                         options.Get("saturating").ToBoolean().Value());
}

SparseIndexBinding::~SparseIndexBinding() { release(env_); }

template <typename Number>
Napi::Value SparseIndexBinding::number_of(Napi::Env env, Number SparseSnapshot::*member) const {
  const double value = store_ != nullptr ? static_cast<double>((*store_->snapshot()).*member) : 0;
  return Napi::Number::New(env, value);
}

Napi::Value SparseIndexBinding::rows(const Napi::CallbackInfo& info) {
  return number_of(info.Env(), &SparseSnapshot::row_count);
}

Napi::Value SparseIndexBinding::removed(const Napi::CallbackInfo& info) {
  return number_of(info.Env(), &SparseSnapshot::removed_count);
}

Napi::Value SparseIndexBinding::bytes(const Napi::CallbackInfo& info) {
  return number_of(info.Env(), &SparseSnapshot::bytes);
}

Napi::Value SparseIndexBinding::postings(const Napi::CallbackInfo& info) {
  return number_of(info.Env(), &SparseSnapshot::posting_count);
}

Napi::Value SparseIndexBinding::total_length(const Napi::CallbackInfo& info) {
  return number_of(info.Env(), &SparseSnapshot::total_length);
}

Napi::Value SparseIndexBinding::document_frequencies(const Napi::CallbackInfo& info) {
  const auto terms = info[0].As<Napi::Uint32Array>();
  const std::shared_ptr<const SparseSnapshot> snapshot = store_->snapshot();
  Napi::Uint32Array frequencies = Napi::Uint32Array::New(info.Env(), terms.ElementLength());
  for (std::size_t i = 0; i < terms.ElementLength(); ++i)
    frequencies[i] = static_cast<uint32_t>(snapshot->document_frequency(terms[i]));
  return frequencies;
}

Napi::Value SparseIndexBinding::add(const Napi::CallbackInfo& info) {
  const RowsArgument argument(info[0]);
  const bool has_lengths = !info[1].IsUndefined();
  const float* const lengths = has_lengths ? info[1].As<Napi::Float32Array>().Data() : nullptr;
  const std::shared_ptr<CancelFlag> cancel = cancel_flag(info[2]);
  const auto first_row = std::make_shared<uint64_t>(0);
  auto call = std::make_unique<AsyncCall>(
      info.Env(), cancel,
      [store = store_, rows = argument.rows, lengths, threads = threads_, cancel, first_row] {
        return store->add(rows, lengths, threads, *cancel, first_row.get());
      },
      [this, first_row](Napi::Env env) -> Napi::Value {
        report_memory(env);
        return Napi::Number::New(env, static_cast<double>(*first_row));
      });
  argument.pin_to(call.get());
  if (has_lengths) call->pin(info[1].As<Napi::Object>());
  return begin(info.Env(), info.This().As<Napi::Object>(), std::move(call));
}

Napi::Value SparseIndexBinding::search(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const RowsArgument argument(info[0]);
  const Napi::Object options = info[1].As<Napi::Object>();
  SparseSearchOptions search;
  search.k = uint32_property(options, "k");
  search.temperature = double_property(options, "temperature");
  search.threads = threads_;
  const Napi::Value filter = options.Get("filter");
  if (!filter.IsUndefined()) {
    search.filter = filter.As<Napi::Uint8Array>().Data();
    search.filter_bytes = filter.As<Napi::Uint8Array>().ElementLength();
  }
  std::optional<Saturation> saturation;
  if (const Napi::Value given = options.Get("saturation"); !given.IsUndefined()) {
    saturation = {double_property(given.As<Napi::Object>(), "base"),
                  double_property(given.As<Napi::Object>(), "slope")};
  }

  // JavaScript owns the arrays of the result; workers fill them while they are pinned.
  const std::size_t queries = argument.rows.row_count;
  const Napi::Object result = Napi::Object::New(env);
  Hits hits;
  const auto array = [&]<typename Array>(const char* name, std::size_t length, Array) {
    Array made = Array::New(env, length);
    result.Set(name, made);
    return made.Data();
  };
  hits.rows = array("rows", queries * search.k, Napi::Uint32Array());
  hits.scores = array("scores", queries * search.k, Napi::Float32Array());
  hits.counts = array("counts", queries, Napi::Uint32Array());
  hits.thresholds = array("thresholds", queries, Napi::Float32Array());
  hits.rows_rescored = array("rowsRescored", queries, Napi::Uint32Array());
  if (search.temperature > 0)
    hits.probabilities = array("probabilities", queries * search.k, Napi::Float32Array());

  const auto kept = std::make_shared<Napi::ObjectReference>(Napi::Persistent(result));
  const std::shared_ptr<CancelFlag> cancel = cancel_flag(options.Get("cancel"));
  auto call = std::make_unique<AsyncCall>(
      env, cancel,
      // The snapshot is taken now, on the JavaScript thread: the search sees what its caller saw.
      [store = store_, snapshot = store_->snapshot(), rows = argument.rows, search, saturation, cancel,
       hits] {
        SparseSearchOptions own = search;
        own.saturation = saturation ? &*saturation : nullptr;
        return search_sparse(store->engine(), *snapshot, rows, own, *cancel, hits);
      },
      [kept](Napi::Env) -> Napi::Value { return kept->Value(); });
  argument.pin_to(call.get());
  if (!filter.IsUndefined()) call->pin(filter.As<Napi::Object>());
  return begin(env, info.This().As<Napi::Object>(), std::move(call));
}

Napi::Value SparseIndexBinding::remove(const Napi::CallbackInfo& info) {
  const auto rows = info[0].As<Napi::Uint32Array>();
  const auto removed = std::make_shared<uint64_t>(0);
  auto call = std::make_unique<AsyncCall>(
      info.Env(), std::make_shared<CancelFlag>(),
      [store = store_, data = rows.Data(), count = rows.ElementLength(), removed] {
        return store->remove(data, count, removed.get());
      },
      [removed](Napi::Env env) -> Napi::Value {
        return Napi::Number::New(env, static_cast<double>(*removed));
      });
  call->pin(rows);
  return begin(info.Env(), info.This().As<Napi::Object>(), std::move(call));
}

Napi::Value SparseIndexBinding::compact(const Napi::CallbackInfo& info) {
  const std::shared_ptr<CancelFlag> cancel = cancel_flag(info[0]);
  // Made here and filled by the worker: the JavaScript thread copies nothing. The caller lets no add come
  // between, so the number of rows holds.
  const std::shared_ptr<const SparseSnapshot> snapshot = store_->snapshot();
  Napi::Uint32Array former =
      Napi::Uint32Array::New(info.Env(), snapshot->row_count - snapshot->removed_count);
  const auto result = std::make_shared<Napi::ObjectReference>(Napi::Persistent(former.As<Napi::Object>()));
  const auto compaction = std::make_shared<SparseCompaction>();
  auto call = std::make_unique<AsyncCall>(
      info.Env(), cancel,
      [store = store_, threads = threads_, cancel, compaction, out = former.Data()] {
        Status status = store->compact(threads, *cancel, compaction.get());
        if (status.ok()) std::copy(compaction->former_rows.begin(), compaction->former_rows.end(), out);
        return status;
      },
      [this, compaction, result](Napi::Env) -> Napi::Value {
        compaction_ = compaction;
        return result->Value();
      });
  return begin(info.Env(), info.This().As<Napi::Object>(), std::move(call));
}

Napi::Value SparseIndexBinding::adopt_compaction(const Napi::CallbackInfo& info) {
  const std::shared_ptr<SparseCompaction> compaction = std::exchange(compaction_, nullptr);
  if (store_ == nullptr || compaction == nullptr) return Napi::Boolean::New(info.Env(), false);
  // Freeing what was there may take long: not on this thread.
  std::shared_ptr<const void> released = compaction->base;
  const bool adopted = store_->adopt(std::move(*compaction));
  report_memory(info.Env());
  info.Env().GetInstanceData<AddonInstance>()->release(std::move(released));
  return Napi::Boolean::New(info.Env(), adopted);
}

void SparseIndexBinding::dispose(const Napi::CallbackInfo& info) { release(info.Env()); }

void SparseIndexBinding::release(Napi::Env env) {
  if (store_ == nullptr) return;
  AddonInstance* const instance = env.GetInstanceData<AddonInstance>();
  std::shared_ptr<const void> store = std::exchange(store_, nullptr);
  std::shared_ptr<const void> prepared = std::exchange(compaction_, nullptr);
  report_memory(env);
  if (instance == nullptr) return;
  instance->release(std::move(store));
  if (prepared != nullptr) instance->release(std::move(prepared));
}

void SparseIndexBinding::report_memory(Napi::Env env) {
  reported_.update(env, store_ != nullptr ? static_cast<int64_t>(store_->snapshot()->bytes) : 0);
}

Napi::Value SparseIndexBinding::begin(Napi::Env env, Napi::Object keeper, std::unique_ptr<AsyncCall> call) {
  call->pin(keeper);
  const Napi::Promise promise = call->promise();
  env.GetInstanceData<AddonInstance>()->begin(std::move(call), threads_);
  return promise;
}

}  // namespace granule
