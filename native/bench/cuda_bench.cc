// Times searches of the CUDA backend through the interface of backends, beside what the processor answers.
//
//     granule_cuda_bench <rows> <dimension> <queries> <k> [documents of so many vectors: then queries are of
//     one document]
//
// GRANULE_CUDA_LIBRARY names the backend. Prints one JSON object: seconds of the first search, which brings
// the rows to the device, and the median of the later ones; and whether the processor gives the same bits (on
// a few queries of a batch).

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "index/search.h"
#include "index/segment_store.h"

using namespace granule;

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kRowsOfAdd = 1 << 18;
constexpr std::size_t kCheckedQueries = 4;
constexpr double kSeconds = 3;

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Unit vectors: sums of twelve bytes are about normal.
void fill(float* out, std::size_t count, std::size_t dimension, uint64_t seed) {
  const unsigned threads = std::max(1u, std::thread::hardware_concurrency());
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

struct Result {
  explicit Result(std::size_t places, std::size_t queries)
      : rows(places), scores(places), counts(queries), thresholds(queries), rescored(queries) {}
  Hits hits() {
    Hits out{};
    out.rows = rows.data();
    out.scores = scores.data();
    out.counts = counts.data();
    out.thresholds = thresholds.data();
    out.rows_rescored = rescored.data();
    return out;
  }
  std::vector<uint32_t> rows;
  std::vector<float> scores;
  std::vector<uint32_t> counts;
  std::vector<float> thresholds;
  std::vector<uint32_t> rescored;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5 || argc > 6) {
    std::fprintf(stderr,
                 "usage: granule_cuda_bench <rows> <dimension> <queries> <k> [vectors of a document]\n");
    return 2;
  }
  const std::size_t rows = std::strtoull(argv[1], nullptr, 10);
  const auto dimension = static_cast<uint32_t>(std::strtoul(argv[2], nullptr, 10));
  const std::size_t query_vectors = std::strtoull(argv[3], nullptr, 10);
  const auto k = static_cast<uint32_t>(std::strtoul(argv[4], nullptr, 10));
  const std::size_t vectors_of_document = argc > 5 ? std::strtoull(argv[5], nullptr, 10) : 0;
  const bool documents = vectors_of_document != 0;
  const unsigned threads = std::max(1u, std::thread::hardware_concurrency());

  KernelChoice choice;
  if (Status status = choose_kernels(detect_cpu_features(), nullptr, &choice); !status.ok()) return 1;
  auto engine = std::make_shared<Engine>(std::move(choice), detect_cpu_features(), "");
  engine->pool.grow_to(threads);
  const BackendEntry* const cuda = engine->backends.find("cuda");
  if (cuda == nullptr || !cuda->available) {
    std::fprintf(stderr, "granule_cuda_bench: %s\n",
                 cuda != nullptr ? cuda->reason.c_str() : "no CUDA backend");
    return 1;
  }

  SegmentStore store(engine, {dimension, Metric::inner_product, Dtype::f32, documents, true});
  const std::size_t vectors = documents ? rows * vectors_of_document : rows;
  const std::size_t step =
      documents ? std::max<std::size_t>(1, kRowsOfAdd / vectors_of_document) : kRowsOfAdd;
  std::vector<float> part;
  for (std::size_t row = 0; row < rows; row += step) {
    const std::size_t count = std::min(step, rows - row);
    const std::size_t own = documents ? count * vectors_of_document : count;
    part.resize(own * dimension);
    fill(part.data(), own, dimension, row + 1);
    const std::vector<uint32_t> lengths(count, static_cast<uint32_t>(vectors_of_document));
    NewRows added;
    added.vectors = part.data();
    added.vector_count = own;
    added.lengths = documents ? lengths.data() : nullptr;
    added.row_count = count;
    uint64_t first = 0;
    if (!store.add(added, threads, CancelFlag(), &first).ok()) return 1;
  }
  std::vector<float> queries(query_vectors * dimension);
  fill(queries.data(), query_vectors, dimension, 0);

  const std::size_t query_count = documents ? 1 : query_vectors;
  const auto snapshot = store.snapshot();
  const CancelFlag cancel;
  const auto search = [&](const char* backend, std::size_t count, Result* result) {
    SearchOptions options;
    options.k = k;
    options.threads = threads;
    const auto length = static_cast<uint32_t>(query_vectors);
    const Status status =
        search_snapshot(*engine, engine->backends.find(backend)->backend, *snapshot, store.options(),
                        queries.data(), documents ? query_vectors : count, documents ? &length : nullptr,
                        count, options, cancel, result->hits());
    if (!status.ok()) {
      std::fprintf(stderr, "granule_cuda_bench: %s: %s\n", backend, status.message.c_str());
      std::exit(1);
    }
  };

  Result found(query_count * k, query_count);
  const Clock::time_point first_start = Clock::now();
  search("cuda", query_count, &found);
  const double first_seconds = since(first_start);
  std::vector<double> seconds;
  const Clock::time_point start = Clock::now();
  while (seconds.size() < 5 || since(start) < kSeconds) {
    const Clock::time_point begin = Clock::now();
    search("cuda", query_count, &found);
    seconds.push_back(since(begin));
  }
  std::sort(seconds.begin(), seconds.end());
  const double median = seconds[seconds.size() / 2];

  const std::size_t checked = std::min(kCheckedQueries, query_count);
  Result expected(checked * k, checked);
  const Clock::time_point cpu_start = Clock::now();
  search("cpu", checked, &expected);
  const double cpu_seconds = since(cpu_start);
  const bool equal =
      std::memcmp(expected.rows.data(), found.rows.data(), checked * k * sizeof(uint32_t)) == 0 &&
      std::memcmp(expected.scores.data(), found.scores.data(), checked * k * sizeof(float)) == 0;

  const double code_bytes = static_cast<double>(vectors) * dimension;
  std::printf(
      "{\"rows\":%zu,\"dimension\":%u,\"queries\":%zu,\"k\":%u,\"documentVectors\":%zu,\"firstSeconds\":%.6f,"
      "\"medianSeconds\":%.6f,\"codeBytesPerSecond\":%.0f,\"operationsPerSecond\":%.0f,\"rowsRescored\":%u,"
      "\"cpuSeconds\":%.6f,\"cpuQueries\":%zu,\"bitEqual\":%s}\n",
      rows, dimension, query_vectors, k, vectors_of_document, first_seconds, median, code_bytes / median,
      2 * code_bytes * static_cast<double>(query_vectors) / median, found.rescored[0], cpu_seconds, checked,
      equal ? "true" : "false");
  return equal ? 0 : 1;
}
