// The emulated machine of the CUDA tests, and a store whose searches are compared on it.
#pragma once

#include "tests/cuda_fixture.h"

#if defined(CUDA_EMULATED_LIBRARY)
#include <dlfcn.h>

#include <atomic>

#include "tests/cuda_emulator/settings.h"

namespace test_cuda {

template <typename Function>
Function* emulator_function(const char* name) {
  void* const library = dlopen(CUDA_EMULATED_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  REQUIRE(library != nullptr);
  return reinterpret_cast<Function*>(dlsym(library, name));
}

/// Bytes of device memory.
inline std::size_t memory_in_use() {
  return emulator_function<std::size_t()>("cuda_emulator_memory_in_use")();
}
/// Streams, events, graphs, and pieces of memory of the host that are pinned or registered.
inline std::size_t objects_in_use() {
  return emulator_function<std::size_t()>("cuda_emulator_objects_in_use")();
}
inline const cuda_emulator::Traffic& traffic() {
  return *emulator_function<cuda_emulator::Traffic*()>("cuda_emulator_traffic")();
}

/// Changes the emulated machine for as long as it lives.
class Machine {
 public:
  explicit Machine(const cuda_emulator::Settings& changed)
      : settings_(emulator_function<cuda_emulator::Settings*()>("cuda_emulator_settings")()),
        before_(*settings_) {
    *settings_ = changed;
  }
  ~Machine() { *settings_ = before_; }

  cuda_emulator::Settings* operator->() { return settings_; }

 private:
  cuda_emulator::Settings* const settings_;
  const cuda_emulator::Settings before_;
};

/// A device of its own library: tests of the emulated machine have nothing to say about it.
inline bool is_real() {
  const char* const given = std::getenv("GRANULE_TEST_CUDA_LIBRARY");
  return given != nullptr && *given != '\0';
}

/// What a search asks for.
struct Asked {
  uint32_t queries = 2;
  uint32_t k = 10;
  uint64_t seed = 2;
  /// Which rows are allowed: a random half by this seed; 0: all.
  uint64_t filter_seed = 0;
  bool log_sum_exp = false;
};

/// A store of rows, and searches of it.
class Searched {
 public:
  explicit Searched(const std::shared_ptr<Engine>& engine,
                    const StoreOptions& options = {20, Metric::inner_product, Dtype::f32, false, true},
                    std::size_t rows = 2000, Kind kind = Kind::uniform)
      : store(engine, options), kind_(kind) {
    REQUIRE(add(rows).ok());
  }

  Status add(std::size_t rows) {
    const std::vector<float> vectors = test_data::vectors(kind_, rows, store.dimension(), ++seed_);
    uint64_t first = 0;
    return store.add({vectors.data(), rows, nullptr, rows}, 2, CancelFlag(), &first);
  }

  Status search(const char* backend, const Asked& asked = {}, const CancelFlag& cancel = {}) const {
    test_search::Result result(asked.queries, asked.queries, asked.k);
    return search(*store.snapshot(), backend, asked, &result, cancel);
  }

  Status search(const Snapshot& snapshot, const char* backend, const Asked& asked,
                test_search::Result* result, const CancelFlag& cancel = {}) const {
    SearchOptions options;
    options.k = asked.k;
    options.threads = 2;
    std::vector<uint8_t> filter;
    if (asked.filter_seed != 0) {
      filter.resize((snapshot.row_count + 7) / 8);
      test_data::Random random(asked.filter_seed);
      for (uint8_t& byte : filter) byte = static_cast<uint8_t>(random.next());
      options.filter = filter.data();
      options.filter_bytes = filter.size();
    }
    const std::vector<float> queries =
        test_data::vectors(Kind::uniform, asked.queries, store.dimension(), asked.seed);
    return search_snapshot(store.engine(), store.engine().backends.find(backend)->backend, snapshot,
                           store.options(), queries.data(), asked.queries, nullptr, asked.queries, options,
                           cancel, result->hits(false, asked.log_sum_exp));
  }

  /// Whether the device gives the processor's bits, for one snapshot.
  bool agrees(const Asked& asked) const {
    const auto snapshot = store.snapshot();
    test_search::Result cpu(asked.queries, asked.queries, asked.k);
    test_search::Result cuda(asked.queries, asked.queries, asked.k);
    return search(*snapshot, "cpu", asked, &cpu).ok() && search(*snapshot, "cuda", asked, &cuda).ok() &&
           cuda.counts == cpu.counts && cuda.rows == cpu.rows && same_bits(cuda.scores, cpu.scores) &&
           same_bits(cuda.log_sum_exps, cpu.log_sum_exps);
  }

  SegmentStore store;

 private:
  const Kind kind_;
  uint64_t seed_ = 0;
};

/// A search of all rows of a store that asks a backend without the index between: its segments can be
/// changed, and it stops at a certain look.
class DirectSearch {
 public:
  explicit DirectSearch(const SegmentStore& store)
      : segments(store.snapshot()->segments),
        result(1, 1, 10),
        store_(store),
        snapshot_(store.snapshot()),
        query_(test_data::vectors(Kind::uniform, 1, store.dimension(), 3)) {}

  /// @param last_look the search is told to stop the so many-th time that it looks; 0: never
  granule_result run(const char* backend_name, int last_look = 0) {
    looks = 0;
    last_look_ = last_look;
    granule_search request{};
    request.dimension = store_.dimension();
    request.metric = static_cast<int32_t>(store_.metric());
    request.dtype = static_cast<int32_t>(store_.options().dtype);
    request.segments = segments.data();
    request.segment_count = segments.size();
    request.row_count = snapshot_->row_count;
    request.query_vectors = query_.data();
    request.query_count = 1;
    request.k = 10;
    request.threads = 2;
    request.cancelled = [](const void* context) {
      auto& self = *static_cast<DirectSearch*>(const_cast<void*>(context));
      return ++self.looks == self.last_look_ ? 1 : 0;
    };
    request.cancelled_context = this;
    granule_hits hits{};
    hits.rows = result.rows.data();
    hits.scores = result.scores.data();
    hits.counts = result.counts.data();
    hits.thresholds = result.thresholds.data();
    hits.rows_rescored = result.rows_rescored.data();
    const granule_backend& backend = store_.engine().backends.find(backend_name)->backend;
    char message[256] = "";
    return backend.search(backend.self, &request, &hits, message, sizeof message);
  }

  std::vector<granule_segment> segments;
  test_search::Result result;
  std::atomic<int> looks{0};

 private:
  const SegmentStore& store_;
  const std::shared_ptr<const Snapshot> snapshot_;
  const std::vector<float> query_;
  int last_look_ = 0;
};

}  // namespace test_cuda

#endif
