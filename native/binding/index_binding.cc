#include "binding/index_binding.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "binding/addon_instance.h"
#include "binding/arguments.h"
#include "binding/async_call.h"
#include "index/read_rows.h"

namespace granule {

/// The arrays that a search fills. JavaScript owns them; workers write into them while they are pinned, so
/// that nothing is copied on the JavaScript thread.
struct IndexBinding::ResultArrays {
  template <typename Array>
  auto add(Napi::Env env, const char* name, std::size_t length) {
    Array array = Array::New(env, length);
    object.Set(name, array);
    return array.Data();
  }

  ResultArrays(Napi::Env env, std::size_t query_count, std::size_t query_vectors, std::size_t k,
               bool probabilities, bool log_sum_exp, bool explain)
      : object(Napi::Object::New(env)) {
    const std::size_t places = query_count * k;
    hits.rows = add<Napi::Uint32Array>(env, "rows", places);
    hits.scores = add<Napi::Float32Array>(env, "scores", places);
    hits.counts = add<Napi::Uint32Array>(env, "counts", query_count);
    hits.thresholds = add<Napi::Float32Array>(env, "thresholds", query_count);
    hits.rows_rescored = add<Napi::Uint32Array>(env, "rowsRescored", query_count);
    if (probabilities) hits.probabilities = add<Napi::Float32Array>(env, "probabilities", places);
    if (log_sum_exp) {
      hits.log_sum_exps = add<Napi::Float64Array>(env, "logSumExp", query_count);
      hits.mass_shares = add<Napi::Float64Array>(env, "massShare", query_count);
    }
    if (explain) {
      hits.matched_vectors = add<Napi::Uint32Array>(env, "matchedVectors", query_vectors * k);
      hits.matched_similarities = add<Napi::Float32Array>(env, "matchedSimilarities", query_vectors * k);
    }
  }

  Napi::Object object;
  Hits hits;
};

namespace {

/// The lengths of documents; null for a flat index, never for an empty array, whose data may be null.
const uint32_t* document_lengths(const Napi::Value& lengths) {
  static const uint32_t none = 0;
  if (lengths.IsUndefined()) return nullptr;
  const Napi::Uint32Array array = lengths.As<Napi::Uint32Array>();
  return array.ElementLength() == 0 ? &none : array.Data();
}

/// The backend of a name that JavaScript found to be available.
const granule_backend* find_backend(Napi::Env env, const Napi::Value& name) {
  AddonInstance* instance = env.GetInstanceData<AddonInstance>();
  return &instance->engine()->backends.find(name.As<Napi::String>().Utf8Value())->backend;
}

}  // namespace

IndexBinding::IndexBinding(const Napi::CallbackInfo& info, bool documents)
    : backend_(nullptr), threads_(1), env_(info.Env()) {
  const Napi::Object options = info[0].As<Napi::Object>();
  AddonInstance* instance = env_.GetInstanceData<AddonInstance>();
  threads_ = thread_count(options);
  backend_ = find_backend(env_, options.Get("backend"));
  StoreOptions kept;
  kept.dimension = uint32_property(options, "dimension");
  kept.metric = static_cast<Metric>(uint32_property(options, "metric"));
  kept.dtype = static_cast<Dtype>(uint32_property(options, "dtype"));
  kept.documents = documents;
  kept.coded = options.Get("codes").ToBoolean().Value();
  store_ = std::make_shared<SegmentStore>(instance->engine(), kept);
}

IndexBinding::~IndexBinding() { dispose(env_); }

double IndexBinding::row_count() const {
  return store_ != nullptr ? static_cast<double>(store_->snapshot()->row_count) : 0;
}

double IndexBinding::vector_count() const {
  return store_ != nullptr ? static_cast<double>(store_->snapshot()->vector_count) : 0;
}

double IndexBinding::bytes() const {
  return store_ != nullptr ? static_cast<double>(store_->snapshot()->bytes + store_->reserved_bytes()) : 0;
}

void IndexBinding::report_memory(Napi::Env env) { reported_.update(env, static_cast<int64_t>(bytes())); }

void IndexBinding::dispose(Napi::Env env) {
  if (store_ == nullptr) return;
  AddonInstance* instance = env.GetInstanceData<AddonInstance>();
  std::shared_ptr<const void> released = std::move(store_);
  store_ = nullptr;
  report_memory(env);
  std::shared_ptr<const void> prepared = std::move(compaction_);
  compaction_ = nullptr;
  if (instance != nullptr) {
    instance->release(std::move(released));
    if (prepared != nullptr) instance->release(std::move(prepared));
  }
}

double IndexBinding::removed_count() const {
  return store_ != nullptr ? static_cast<double>(store_->snapshot()->removed_count) : 0;
}

bool IndexBinding::biased() const {
  if (store_ == nullptr) return false;
  const std::shared_ptr<const Snapshot> snapshot = store_->snapshot();
  return std::any_of(snapshot->segments.begin(), snapshot->segments.end(),
                     [](const granule_segment& segment) { return segment.row_biases != nullptr; });
}

Napi::Value IndexBinding::add(Napi::Env env, Napi::Object keeper, Napi::Float32Array vectors,
                              Napi::Value lengths, uint64_t row_count, Napi::Value biases,
                              Napi::Value cancel_token) {
  const std::shared_ptr<CancelFlag> cancel = cancel_flag(cancel_token);
  const std::shared_ptr<SegmentStore> store = store_;
  NewRows rows;
  rows.vectors = vectors.Data();
  rows.vector_count = vectors.ElementLength() / store->dimension();
  rows.lengths = document_lengths(lengths);
  rows.row_count = row_count;
  if (!biases.IsUndefined()) rows.biases = biases.As<Napi::Float32Array>().Data();
  const auto first_row = std::make_shared<uint64_t>(0);
  auto call = std::make_unique<AsyncCall>(
      env, cancel,
      [store, rows, threads = threads_, cancel, first_row] {
        return store->add(rows, threads, *cancel, first_row.get());
      },
      [this, first_row](Napi::Env result_env) -> Napi::Value {
        report_memory(result_env);
        return Napi::Number::New(result_env, static_cast<double>(*first_row));
      });
  call->pin(keeper);
  call->pin(vectors);
  if (rows.lengths != nullptr) call->pin(lengths.As<Napi::Object>());
  if (rows.biases != nullptr) call->pin(biases.As<Napi::Object>());
  return begin(env, std::move(call));
}

Napi::Value IndexBinding::reserve(Napi::Env env, Napi::Object keeper, uint64_t vectors,
                                  Napi::Value cancel_token) {
  const std::shared_ptr<CancelFlag> cancel = cancel_flag(cancel_token);
  auto call = std::make_unique<AsyncCall>(
      env, cancel,
      [store = store_, vectors, threads = threads_, cancel] {
        return store->reserve(vectors, threads, *cancel);
      },
      [this](Napi::Env result_env) -> Napi::Value {
        report_memory(result_env);
        return result_env.Undefined();
      });
  call->pin(keeper);
  return begin(env, std::move(call));
}

Napi::Value IndexBinding::remove(Napi::Env env, Napi::Object keeper, Napi::Uint32Array rows) {
  const std::shared_ptr<SegmentStore> store = store_;
  const auto removed = std::make_shared<uint64_t>(0);
  auto call = std::make_unique<AsyncCall>(
      env, std::make_shared<CancelFlag>(),
      [store, data = rows.Data(), count = rows.ElementLength(), removed] {
        return store->remove(data, count, removed.get());
      },
      [removed](Napi::Env result_env) -> Napi::Value {
        return Napi::Number::New(result_env, static_cast<double>(*removed));
      });
  call->pin(keeper);
  call->pin(rows);
  return begin(env, std::move(call));
}

Napi::Value IndexBinding::compact(Napi::Env env, Napi::Object keeper, Napi::Value cancel_token) {
  const std::shared_ptr<CancelFlag> cancel = cancel_flag(cancel_token);
  const std::shared_ptr<SegmentStore> store = store_;
  // Made here and filled by the worker: the JavaScript thread copies nothing. The caller lets no add come
  // between, so the number of rows holds.
  const std::shared_ptr<const Snapshot> snapshot = store->snapshot();
  Napi::Uint32Array kept = Napi::Uint32Array::New(env, snapshot->row_count - snapshot->removed_count);
  const auto result = std::make_shared<Napi::ObjectReference>(Napi::Persistent(kept.As<Napi::Object>()));
  const auto compaction = std::make_shared<Compaction>();
  auto call = std::make_unique<AsyncCall>(
      env, cancel,
      [store, threads = threads_, cancel, compaction, out = kept.Data()] {
        Status status = store->compact(threads, *cancel, compaction.get());
        if (status.ok()) std::copy(compaction->former_rows.begin(), compaction->former_rows.end(), out);
        return status;
      },
      [this, compaction, result](Napi::Env) -> Napi::Value {
        compaction_ = compaction;
        return result->Value();
      });
  call->pin(keeper);
  return begin(env, std::move(call));
}

bool IndexBinding::adopt_compaction(Napi::Env env) {
  std::shared_ptr<Compaction> compaction = std::move(compaction_);
  compaction_ = nullptr;
  if (store_ == nullptr || compaction == nullptr) return false;
  // Freeing what was there may take long: not on this thread.
  std::shared_ptr<const void> released = compaction->base;
  const bool adopted = store_->adopt(std::move(*compaction));
  report_memory(env);
  compaction = nullptr;
  env.GetInstanceData<AddonInstance>()->release(std::move(released));
  return adopted;
}

Napi::Value IndexBinding::read(Napi::Env env, Napi::Object keeper, Napi::Uint32Array rows,
                               Napi::Value lengths, Napi::Value cancel_token) {
  const std::shared_ptr<CancelFlag> cancel = cancel_flag(cancel_token);
  const std::shared_ptr<SegmentStore> store = store_;
  const std::shared_ptr<const Snapshot> snapshot = store->snapshot();
  const auto pinned_rows = std::make_shared<Napi::ObjectReference>(Napi::Persistent(rows.As<Napi::Object>()));
  const uint32_t* const row_data = rows.Data();
  const std::size_t count = rows.ElementLength();
  const bool documents = !lengths.IsUndefined();
  uint32_t* const length_data = documents ? lengths.As<Napi::Uint32Array>().Data() : nullptr;
  const auto vector_count = std::make_shared<uint64_t>(0);

  // How large the result is, only the segments know; so there are two calls, both off the JavaScript thread.
  auto measure = std::make_unique<AsyncCall>(
      env, cancel,
      [store, snapshot, row_data, count, length_data, vector_count] {
        return measure_rows(*snapshot, store->options(), row_data, count, length_data, vector_count.get());
      },
      [this, store, snapshot, pinned_rows, row_data, count, vector_count,
       cancel](Napi::Env result_env) -> Napi::Value {
        Napi::Float32Array vectors = Napi::Float32Array::New(result_env, *vector_count * store->dimension());
        const auto result =
            std::make_shared<Napi::ObjectReference>(Napi::Persistent(vectors.As<Napi::Object>()));
        auto copy = std::make_unique<AsyncCall>(
            result_env, cancel,
            [store, snapshot, row_data, count, threads = threads_, cancel, out = vectors.Data()] {
              return read_rows(store->engine(), store->options(), *snapshot, row_data, count, threads,
                               *cancel, out);
            },
            [result](Napi::Env) -> Napi::Value { return result->Value(); });
        copy->pin(pinned_rows->Value());
        return begin(result_env, std::move(copy));
      });
  measure->pin(keeper);
  if (documents) measure->pin(lengths.As<Napi::Object>());
  return begin(env, std::move(measure));
}

Napi::Value IndexBinding::begin(Napi::Env env, std::unique_ptr<AsyncCall> call) {
  const Napi::Promise promise = call->promise();
  env.GetInstanceData<AddonInstance>()->begin(std::move(call), threads_);
  return promise;
}

Napi::Value IndexBinding::search(Napi::Env env, Napi::Object keeper, Napi::Float32Array queries,
                                 Napi::Value lengths, uint64_t query_count, Napi::Object options) {
  const std::shared_ptr<SegmentStore> store = store_;
  // Taken now, on the JavaScript thread: the search sees what its caller saw.
  const std::shared_ptr<const Snapshot> snapshot = store->snapshot();
  const std::shared_ptr<CancelFlag> cancel = cancel_flag(options.Get("cancel"));
  const uint64_t query_vectors = queries.ElementLength() / store->dimension();
  SearchOptions search_options;
  search_options.k = uint32_property(options, "k");
  search_options.temperature = double_property(options, "temperature");
  search_options.threads = threads_;
  const bool documents = !lengths.IsUndefined();
  const ResultArrays result(env, query_count, query_vectors, search_options.k, search_options.temperature > 0,
                            options.Get("logSumExp").ToBoolean().Value(),
                            documents && options.Get("explain").ToBoolean().Value());

  const Napi::Value filter = options.Get("filter");
  if (!filter.IsUndefined()) {
    search_options.filter = filter.As<Napi::Uint8Array>().Data();
    search_options.filter_bytes = filter.As<Napi::Uint8Array>().ElementLength();
  }
  const Napi::Value candidates = documents ? options.Get("candidates") : env.Undefined();
  if (!candidates.IsUndefined()) {
    search_options.candidates = candidates.As<Napi::Uint32Array>().Data();
    search_options.candidate_count = candidates.As<Napi::Uint32Array>().ElementLength();
  }
  const uint32_t* length_data = document_lengths(lengths);

  const Napi::Value device = options.Get("backend");
  const granule_backend* const backend = device.IsUndefined() ? backend_ : find_backend(env, device);

  const auto kept = std::make_shared<Napi::ObjectReference>(Napi::Persistent(result.object));
  auto call = std::make_unique<AsyncCall>(
      env, cancel,
      [store, snapshot, backend, data = queries.Data(), query_vectors, length_data, query_count,
       search_options, cancel, hits = result.hits] {
        return search_snapshot(store->engine(), *backend, *snapshot, store->options(), data, query_vectors,
                               length_data, query_count, search_options, *cancel, hits);
      },
      [kept](Napi::Env) -> Napi::Value { return kept->Value(); });
  call->pin(keeper);
  call->pin(queries);
  if (documents) call->pin(lengths.As<Napi::Object>());
  if (!filter.IsUndefined()) call->pin(filter.As<Napi::Object>());
  if (!candidates.IsUndefined()) call->pin(candidates.As<Napi::Object>());
  return begin(env, std::move(call));
}

}  // namespace granule
