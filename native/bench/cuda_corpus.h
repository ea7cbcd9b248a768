#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "index/search.h"
#include "index/segment_store.h"

// What the benchmark of the CUDA backend searches: made-up corpora and queries, and searches of them.

namespace cuda_bench {

using namespace granule;
using Clock = std::chrono::steady_clock;

inline double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

[[noreturn]] inline void fail(const char* what, const char* why) {
  std::fprintf(stderr, "granule_cuda_bench: %s: %s\n", what, why);
  std::exit(1);
}

inline unsigned host_threads() { return std::max(1u, std::thread::hardware_concurrency()); }

/// Unit vectors: sums of seven bytes are about normal.
inline void fill(float* out, std::size_t count, std::size_t dimension, uint64_t seed) {
  const unsigned threads = host_threads();
  std::vector<std::thread> workers;
  for (unsigned t = 0; t < threads; ++t) {
    workers.emplace_back([=] {
      for (std::size_t v = count * t / threads; v < count * (t + 1) / threads; ++v) {
        uint64_t state = (seed << 32) + v + 1;
        double squared = 0;
        float* const vector = out + v * dimension;
        for (std::size_t i = 0; i < dimension; ++i) {
          state = state * 6364136223846793005u + 1442695040888963407u;
          int sum = 0;
          for (int byte = 1; byte < 8; ++byte) sum += static_cast<int>(state >> (8 * byte) & 0xff) - 128;
          vector[i] = static_cast<float>(sum);
          squared += static_cast<double>(vector[i]) * vector[i];
        }
        for (std::size_t i = 0; i < dimension; ++i)
          vector[i] = static_cast<float>(vector[i] / std::sqrt(squared + 1e-9));
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
}

/// An engine with a thread for each core and a CUDA backend that can run.
inline std::shared_ptr<Engine> open_engine() {
  KernelChoice choice;
  if (Status status = choose_kernels(detect_cpu_features(), nullptr, &choice); !status.ok())
    fail("kernels", status.message.c_str());
  auto engine = std::make_shared<Engine>(std::move(choice), detect_cpu_features(), "");
  engine->pool.grow_to(host_threads());
  const BackendEntry* const cuda = engine->backends.find("cuda");
  if (cuda == nullptr || !cuda->available)
    fail("cuda", cuda != nullptr ? cuda->reason.c_str() : "no such backend");
  return engine;
}

/// What a search found.
struct Result {
  Result(std::size_t queries, uint32_t k)
      : rows(queries * k), scores(queries * k), counts(queries), rescored(queries) {}

  bool operator==(const Result& other) const {
    return rows == other.rows && scores.size() == other.scores.size() &&
           std::memcmp(scores.data(), other.scores.data(), scores.size() * sizeof(float)) == 0;
  }

  std::vector<uint32_t> rows;
  std::vector<float> scores;
  std::vector<uint32_t> counts;
  std::vector<uint32_t> rescored;
};

/// What a search asks for.
struct Request {
  const float* queries;
  std::size_t count;
  /// Vectors of each query; 1 where rows are single vectors.
  uint32_t query_vectors;
  uint32_t k;
  const std::vector<uint32_t>* candidates = nullptr;
};

/// A corpus in memory.
class Corpus {
 public:
  /// @param document_vectors of each document; 0: rows are single vectors
  Corpus(std::shared_ptr<Engine> engine, std::size_t rows, uint32_t dimension, uint32_t document_vectors)
      : rows_(rows), dimension_(dimension), document_vectors_(document_vectors), engine_(std::move(engine)) {
    store_ = std::make_unique<SegmentStore>(
        engine_, StoreOptions{dimension, Metric::inner_product, Dtype::f32, has_documents(), true});
    const std::size_t step =
        has_documents() ? std::max<std::size_t>(1, kRowsOfAdd / document_vectors) : kRowsOfAdd;
    std::vector<float> part;
    for (std::size_t row = 0; row < rows; row += step) {
      const std::size_t count = std::min(step, rows - row);
      const std::size_t vectors = has_documents() ? count * document_vectors : count;
      part.resize(vectors * dimension);
      fill(part.data(), vectors, dimension, row + 1);
      const std::vector<uint32_t> lengths(count, document_vectors);
      NewRows added;
      added.vectors = part.data();
      added.vector_count = vectors;
      added.lengths = has_documents() ? lengths.data() : nullptr;
      added.row_count = count;
      uint64_t first = 0;
      const Status status = store_->add(added, host_threads(), CancelFlag(), &first);
      if (!status.ok()) fail("add", status.message.c_str());
    }
    snapshot_ = store_->snapshot();
  }

  bool has_documents() const { return document_vectors_ != 0; }
  std::size_t rows() const { return rows_; }
  uint32_t dimension() const { return dimension_; }
  uint32_t document_vectors() const { return document_vectors_; }
  /// Numbers in all vectors, which are as many as the bytes of their codes.
  double elements() const {
    return static_cast<double>(rows_) * std::max(1u, document_vectors_) * dimension_;
  }
  double vector_bytes() const { return elements() * sizeof(float); }

  Engine& engine() const { return *engine_; }

  Result search(const char* backend, const Request& request) const {
    SearchOptions options;
    options.k = request.k;
    options.threads = host_threads();
    if (request.candidates != nullptr) {
      options.candidates = request.candidates->data();
      options.candidate_count = request.candidates->size();
    }
    const std::vector<uint32_t> lengths(has_documents() ? request.count : 0, request.query_vectors);
    Result out(request.count, request.k);
    std::vector<float> thresholds(request.count);
    Hits hits{};
    hits.rows = out.rows.data();
    hits.scores = out.scores.data();
    hits.counts = out.counts.data();
    hits.thresholds = thresholds.data();
    hits.rows_rescored = out.rescored.data();
    const Status status = search_snapshot(
        *engine_, engine_->backends.find(backend)->backend, *snapshot_, store_->options(), request.queries,
        request.count * request.query_vectors, has_documents() ? lengths.data() : nullptr, request.count,
        options, CancelFlag(), hits);
    if (!status.ok()) fail(backend, status.message.c_str());
    return out;
  }

 private:
  static constexpr std::size_t kRowsOfAdd = std::size_t{1} << 18;

  const std::size_t rows_;
  const uint32_t dimension_;
  const uint32_t document_vectors_;
  const std::shared_ptr<Engine> engine_;
  std::unique_ptr<SegmentStore> store_;
  std::shared_ptr<const Snapshot> snapshot_;
};

/// Ascending.
inline double quantile(const std::vector<double>& sorted, double q) {
  return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))];
}

/// Seconds of each run of `work`, ascending: at least `least` runs, for `seconds`.
template <typename Work>
std::vector<double> repeat(std::size_t least, double seconds, const Work& work) {
  std::vector<double> out;
  const Clock::time_point start = Clock::now();
  while (out.size() < least || since(start) < seconds) {
    const Clock::time_point begin = Clock::now();
    work(out.size());
    out.push_back(since(begin));
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace cuda_bench
