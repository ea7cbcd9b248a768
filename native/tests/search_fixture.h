#pragma once

#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "index/engine.h"
#include "index/search.h"
#include "index/segment_store.h"
#include "kernels/kernel_table.h"

namespace test_search {

inline std::shared_ptr<granule::Engine> engine_for(granule::Isa isa, unsigned threads) {
  granule::KernelChoice choice;
  choice.table = granule::kernel_table(isa);
  auto engine =
      std::make_shared<granule::Engine>(std::move(choice), granule::detect_cpu_features(), "/nonexistent");
  engine->pool.grow_to(threads);
  return engine;
}

/// Whether an emulator runs the tests: every step costs many times as much.
inline bool is_emulated() { return std::getenv("GRANULE_TEST_INSTRUCTION_SETS") != nullptr; }

/// Whether every step costs many times as much, on an emulator or where threads are watched.
inline bool is_slow() {
#if defined(__SANITIZE_THREAD__)
  return true;
#else
  return is_emulated();
#endif
}

/// The instruction sets that whole searches run on: all; where every step costs many times as much, the
/// weakest and the strongest (addresses watched), or the strongest alone: where threads are watched, which
/// are the same on all, and on emulated Arm processors, whose weakest is the source that ran on this one. The
/// kernels themselves are tested on all.
inline std::vector<granule::Isa> search_isas() {
  std::vector<granule::Isa> isas = granule::available_isas(granule::detect_cpu_features());
#if defined(__SANITIZE_THREAD__)
  isas = {isas.back()};
#elif defined(__SANITIZE_ADDRESS__)
  isas = {isas.front(), isas.back()};
#else
  if (is_emulated()) isas = {isas.back()};
#endif
  return isas;
}

/// The arrays of a result, filled with values that no search writes.
struct Result {
  Result(std::size_t queries, std::size_t query_vectors, std::size_t k)
      : rows(queries * k, 12345),
        scores(queries * k, 12345.0f),
        counts(queries, 12345),
        probabilities(queries * k, 12345.0f),
        matched_vectors(query_vectors * k, 12345),
        matched_similarities(query_vectors * k, 12345.0f),
        thresholds(queries, 12345.0f),
        rows_rescored(queries, 12345),
        log_sum_exps(queries, 12345.0),
        mass_shares(queries, 12345.0) {}

  granule::Hits hits(bool explain, bool log_sum_exp = false) {
    return {rows.data(),
            scores.data(),
            counts.data(),
            probabilities.data(),
            explain ? matched_vectors.data() : nullptr,
            explain ? matched_similarities.data() : nullptr,
            thresholds.data(),
            rows_rescored.data(),
            log_sum_exp ? log_sum_exps.data() : nullptr,
            log_sum_exp ? mass_shares.data() : nullptr};
  }

  std::vector<uint32_t> rows;
  std::vector<float> scores;
  std::vector<uint32_t> counts;
  std::vector<float> probabilities;
  std::vector<uint32_t> matched_vectors;
  std::vector<float> matched_similarities;
  std::vector<float> thresholds;
  std::vector<uint32_t> rows_rescored;
  std::vector<double> log_sum_exps;
  std::vector<double> mass_shares;
};

inline granule::Status search(const granule::SegmentStore& store, const std::vector<float>& queries,
                              const std::vector<uint32_t>* lengths, const granule::SearchOptions& options,
                              const granule::Hits& hits, const granule::CancelFlag& cancel = {}) {
  const uint64_t vectors = queries.size() / store.dimension();
  return granule::search_snapshot(store.engine(), store.engine().backends.find("cpu")->backend,
                                  *store.snapshot(), store.options(), queries.data(), vectors,
                                  lengths != nullptr ? lengths->data() : nullptr,
                                  lengths != nullptr ? lengths->size() : vectors, options, cancel, hits);
}

}  // namespace test_search
