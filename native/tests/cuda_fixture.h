// Searches by the CUDA backend and by the CPU's, over the library that GRANULE_TEST_CUDA_LIBRARY names where
// a device is there, otherwise over the same sources and an emulator of CUDA (tests/cuda_emulator).
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "tests/search_fixture.h"
#include "tests/test_data.h"

namespace test_cuda {

using namespace granule;
using test_data::Kind;

inline std::string cuda_library() {
  const char* const given = std::getenv("GRANULE_TEST_CUDA_LIBRARY");
  if (given != nullptr && *given != '\0') return given;
#if defined(CUDA_EMULATED_LIBRARY)
  return CUDA_EMULATED_LIBRARY;
#else
  return {};
#endif
}

/// Says why where there is nothing to test.
inline bool is_skipped() {
  if (!cuda_library().empty()) return false;
  MESSAGE("SKIPPED: the emulator of CUDA is not built with sanitizers or for another processor");
  return true;
}

/// An engine whose CUDA backend can run; the others of this process do not see it.
inline std::shared_ptr<Engine> cuda_engine() {
  setenv("GRANULE_CUDA_LIBRARY", cuda_library().c_str(), 1);
  const std::vector<Isa> isas = available_isas(detect_cpu_features());
  auto engine = test_search::engine_for(isas.back(), 2);
  unsetenv("GRANULE_CUDA_LIBRARY");
  const BackendEntry* const cuda = engine->backends.find("cuda");
  REQUIRE_MESSAGE(cuda->available, cuda->reason);
  return engine;
}

struct Case {
  StoreOptions options;
  Kind kind = Kind::uniform;
  std::size_t vectors = 0;
  /// Of documents, in turn; empty: rows are vectors.
  std::vector<uint32_t> lengths;
  bool biased = false;
  /// Rows go in with several adds, some after a first search.
  std::size_t adds = 1;
  std::size_t queries = 1;
  std::vector<uint32_t> query_lengths;
  Kind query_kind = Kind::uniform;
  uint32_t k = 10;
  bool filtered = false;
  bool candidates = false;
  /// The log-sum-exp over all rows is compared too.
  bool log_sum_exp = false;
  double temperature = 0.5;
  uint64_t seed = 1;
};

struct Outcome {
  Outcome(const Case& test, std::size_t query_vectors) : result(test.queries, query_vectors, test.k) {}
  Status status;
  test_search::Result result;
};

inline Outcome search(const SegmentStore& store, const char* backend, const Case& test,
                      const std::vector<float>& queries, const std::vector<uint32_t>& query_lengths) {
  const std::size_t vectors = queries.size() / test.options.dimension;
  Outcome out(test, vectors);
  const auto snapshot = store.snapshot();
  SearchOptions options;
  options.k = test.k;
  options.threads = 2;
  options.temperature = test.temperature;
  std::vector<uint8_t> filter((snapshot->row_count + 7) / 8);
  test_data::Random random(test.seed + 77);
  for (uint8_t& byte : filter) byte = static_cast<uint8_t>(random.next());
  if (test.filtered) {
    options.filter = filter.data();
    options.filter_bytes = filter.size();
  }
  std::vector<uint32_t> candidates;
  for (uint32_t row = 0; row < snapshot->row_count; row += 3) candidates.push_back(row);
  if (test.candidates) {
    options.candidates = candidates.data();
    options.candidate_count = candidates.size();
  }
  const CancelFlag cancel;
  out.status = search_snapshot(store.engine(), store.engine().backends.find(backend)->backend, *snapshot,
                               store.options(), queries.data(), vectors,
                               query_lengths.empty() ? nullptr : query_lengths.data(),
                               query_lengths.empty() ? vectors : query_lengths.size(), options, cancel,
                               out.result.hits(!query_lengths.empty(), test.log_sum_exp));
  return out;
}

template <typename T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

inline void compare(const std::shared_ptr<Engine>& engine, const Case& test) {
  CAPTURE(test.options.dimension);
  CAPTURE(static_cast<int>(test.options.metric));
  CAPTURE(static_cast<int>(test.options.dtype));
  CAPTURE(static_cast<int>(test.kind));
  CAPTURE(test.vectors);
  CAPTURE(test.queries);
  CAPTURE(test.k);
  SegmentStore store(engine, test.options);
  const std::size_t d = test.options.dimension;
  const std::vector<float> vectors = test_data::vectors(test.kind, test.vectors, d, test.seed);
  std::vector<uint32_t> lengths;
  for (std::size_t sum = 0, i = 0; !test.lengths.empty() && sum < test.vectors; sum += lengths.back(), ++i) {
    lengths.push_back(static_cast<uint32_t>(
        std::min<std::size_t>(test.lengths[i % test.lengths.size()], test.vectors - sum)));
  }
  const std::size_t rows = lengths.empty() ? test.vectors : lengths.size();
  const std::vector<float> biases = test_data::vectors(Kind::uniform, rows, 1, test.seed + 1);
  std::vector<uint32_t> query_lengths;
  std::size_t query_vectors = test.queries;
  if (!test.lengths.empty()) {
    query_vectors = 0;
    for (std::size_t q = 0; q < test.queries; ++q) {
      query_lengths.push_back(test.query_lengths[q % test.query_lengths.size()]);
      query_vectors += query_lengths.back();
    }
  }
  const std::vector<float> queries = test_data::vectors(test.query_kind, query_vectors, d, test.seed + 2);
  std::size_t vector_at = 0;
  for (std::size_t part = 0; part < test.adds; ++part) {
    const std::size_t begin = rows * part / test.adds;
    const std::size_t end = rows * (part + 1) / test.adds;
    std::size_t count = end - begin;
    if (!lengths.empty()) {
      count = 0;
      for (std::size_t i = begin; i < end; ++i) count += lengths[i];
    }
    uint64_t first = 0;
    NewRows added;
    added.vectors = vectors.data() + vector_at * d;
    added.vector_count = count;
    added.lengths = lengths.empty() ? nullptr : lengths.data() + begin;
    added.row_count = end - begin;
    added.biases = test.biased ? biases.data() + begin : nullptr;
    REQUIRE(store.add(added, 2, CancelFlag(), &first).ok());
    vector_at += count;
    const Outcome cpu = search(store, "cpu", test, queries, query_lengths);
    const Outcome cuda = search(store, "cuda", test, queries, query_lengths);
    REQUIRE_MESSAGE(cpu.status.ok(), cpu.status.message);
    REQUIRE_MESSAGE(cuda.status.ok(), cuda.status.message);
    REQUIRE(cuda.result.counts == cpu.result.counts);
    REQUIRE(cuda.result.rows == cpu.result.rows);
    REQUIRE(same_bits(cuda.result.scores, cpu.result.scores));
    REQUIRE(same_bits(cuda.result.log_sum_exps, cpu.result.log_sum_exps));
    REQUIRE(same_bits(cuda.result.mass_shares, cpu.result.mass_shares));
    if (!query_lengths.empty()) {
      REQUIRE(cuda.result.matched_vectors == cpu.result.matched_vectors);
      REQUIRE(same_bits(cuda.result.matched_similarities, cpu.result.matched_similarities));
    }
    for (std::size_t q = 0; q < test.queries; ++q) {
      // What the certificate says is true.
      const uint32_t count_of_query = cuda.result.counts[q];
      if (count_of_query < test.k) continue;
      REQUIRE(cuda.result.thresholds[q] <= cuda.result.scores[q * test.k + test.k - 1]);
      REQUIRE(cuda.result.rows_rescored[q] >= test.k);
    }
  }
}

}  // namespace test_cuda
