// Times what a user of the CUDA backend calls, beside what the processor answers.
//
//     granule_cuda_bench rows <rows> <dimension> <k> <queries> [<queries> ...]
//     granule_cuda_bench documents <documents> <their vectors> <dimension> <query vectors> <k> <queries>
//     [...] granule_cuda_bench rerank <documents> <their vectors> <dimension> <query vectors> <k> <queries>
//     <candidates>
//
// GRANULE_CUDA_LIBRARY names the backend. Prints one JSON object a line:
//   transfer  the first search of a corpus, which brings it to the device, less what a later one takes
//   rows, documents  the median search of a batch of so many queries; of single queries also the searches a
//             second, and their median and 99th percentile, with 1, 4 and 16 calls in flight
//   rerank    the median time from the start of `queries` calls, each of a query with candidates of its own,
//             to the end of the last: the calls are in flight together, as those of a program in Node are
// and in each `bitEqual`: whether the processor gives the same bits, on a few queries, and calls in flight
// together give what single calls give. Exits with 1 where it does not.

#include <atomic>
#include <latch>
#include <string>

#include "bench/cuda_corpus.h"

using namespace cuda_bench;

namespace {

constexpr std::size_t kCheckedQueries = 4;
constexpr std::size_t kLeastRuns = 5;
constexpr double kSeconds = 2;
/// Different queries that single searches take in turn.
constexpr std::size_t kSingleQueries = 64;
constexpr std::size_t kWarmingRows = 4096;
constexpr std::size_t kRerankBatches = 4;

bool all_equal = true;

const char* truth(bool value) {
  all_equal = all_equal && value;
  return value ? "true" : "false";
}

/// Runs `work(0)` ... `work(count - 1)` as calls of the engine, all in flight together.
template <typename Work>
void call_together(Engine& engine, std::size_t count, const Work& work) {
  // Kept by the last call too, which may still be inside count_down when the wait is over.
  const auto done = std::make_shared<std::latch>(static_cast<std::ptrdiff_t>(count));
  for (std::size_t i = 0; i < count; ++i) {
    engine.pool.submit([done, i, &work] {
      work(i);
      done->count_down();
    });
  }
  done->wait();
}

/// Single searches with `calls` of them in flight.
std::string concurrent(const Corpus& corpus, const std::vector<Request>& requests,
                       const std::vector<Result>& expected, std::size_t calls) {
  std::vector<std::vector<double>> seconds(calls);
  std::atomic<bool> equal{true};
  const Clock::time_point start = Clock::now();
  call_together(corpus.engine(), calls, [&](std::size_t call) {
    seconds[call] = repeat(kLeastRuns, kSeconds, [&](std::size_t run) {
      const std::size_t at = (call + run) % requests.size();
      if (!(corpus.search("cuda", requests[at]) == expected[at])) equal = false;
    });
  });
  const double elapsed = since(start);
  std::vector<double> all;
  for (const std::vector<double>& own : seconds) all.insert(all.end(), own.begin(), own.end());
  std::sort(all.begin(), all.end());
  char text[256];
  std::snprintf(
      text, sizeof text,
      "{\"calls\":%zu,\"searchesPerSecond\":%.1f,\"p50Seconds\":%.9f,\"p99Seconds\":%.9f,\"bitEqual\":%s}",
      calls, static_cast<double>(all.size()) / elapsed, quantile(all, 0.5), quantile(all, 0.99),
      truth(equal));
  return text;
}

/// Single searches with 1, 4 and 16 calls in flight, as a JSON array.
std::string single_searches(const Corpus& corpus, uint32_t query_vectors, uint32_t k) {
  const std::size_t floats = std::size_t{query_vectors} * corpus.dimension();
  std::vector<float> queries(kSingleQueries * floats);
  fill(queries.data(), kSingleQueries * query_vectors, corpus.dimension(), 0);
  std::vector<Request> requests;
  std::vector<Result> expected;
  for (std::size_t q = 0; q < kSingleQueries; ++q) {
    requests.push_back({queries.data() + q * floats, 1, query_vectors, k});
    expected.push_back(corpus.search("cuda", requests.back()));
  }
  std::string out;
  for (const std::size_t calls : {1, 4, 16}) {
    out += out.empty() ? '[' : ',';
    out += concurrent(corpus, requests, expected, calls);
  }
  return out + "]";
}

void measure_batch(const Corpus& corpus, const char* workload, uint32_t query_vectors, uint32_t k,
                   std::size_t count, bool first) {
  std::vector<float> queries(count * query_vectors * corpus.dimension());
  fill(queries.data(), count * query_vectors, corpus.dimension(), 0);
  const Request request{queries.data(), count, query_vectors, k};
  const Clock::time_point start = Clock::now();
  const Result found = corpus.search("cuda", request);
  const double first_seconds = since(start);
  const std::vector<double> seconds =
      repeat(kLeastRuns, kSeconds, [&](std::size_t) { corpus.search("cuda", request); });
  const double median = quantile(seconds, 0.5);
  if (first) {
    std::printf(
        "{\"workload\":\"transfer\",\"of\":\"%s\",\"vectorBytes\":%.0f,\"seconds\":%.6f,"
        "\"transferBytesPerSecond\":%.0f}\n",
        workload, corpus.vector_bytes(), first_seconds - median,
        corpus.vector_bytes() / (first_seconds - median));
  }
  const Request checked{queries.data(), std::min(kCheckedQueries, count), query_vectors, k};
  const Clock::time_point cpu_start = Clock::now();
  const Result expected = corpus.search("cpu", checked);
  const double cpu_seconds = since(cpu_start);
  const bool equal = expected == corpus.search("cuda", checked) &&
                     std::equal(expected.rows.begin(), expected.rows.end(), found.rows.begin()) &&
                     std::equal(expected.scores.begin(), expected.scores.end(), found.scores.begin());
  const std::string singles = count == 1 ? single_searches(corpus, query_vectors, k) : "[]";
  std::printf(
      "{\"workload\":\"%s\",\"rows\":%zu,\"documentVectors\":%u,\"dimension\":%u,\"queries\":%zu,"
      "\"queryVectors\":%u,\"k\":%u,\"runs\":%zu,\"medianSeconds\":%.9f,\"p99Seconds\":%.9f,"
      "\"codeBytesPerSecond\":%.0f,\"operationsPerSecond\":%.0f,\"rowsRescored\":%u,\"cpuQueries\":%zu,"
      "\"cpuSeconds\":%.6f,\"concurrent\":%s,\"bitEqual\":%s}\n",
      workload, corpus.rows(), corpus.document_vectors(), corpus.dimension(), count, query_vectors, k,
      seconds.size(), median, quantile(seconds, 0.99), corpus.elements() / median,
      2 * corpus.elements() * static_cast<double>(count) * query_vectors / median, found.rescored[0],
      checked.count, cpu_seconds, singles.c_str(), truth(equal));
  std::fflush(stdout);
}

void measure_rerank(const Corpus& corpus, uint32_t query_vectors, uint32_t k, std::size_t count,
                    std::size_t candidates) {
  const std::size_t floats = std::size_t{query_vectors} * corpus.dimension();
  std::vector<float> queries(count * floats);
  fill(queries.data(), count * query_vectors, corpus.dimension(), 0);
  // Batches take different documents, so that together they are more than a cache holds.
  std::vector<std::vector<uint32_t>> lists(kRerankBatches * count);
  uint32_t next = 0;
  for (std::vector<uint32_t>& list : lists) {
    for (std::size_t i = 0; i < candidates; ++i, next = static_cast<uint32_t>((next + 1) % corpus.rows()))
      list.push_back(next);
  }
  const auto request = [&](std::size_t batch, std::size_t q) {
    return Request{queries.data() + q * floats, 1, query_vectors, k, &lists[batch * count + q]};
  };
  bool equal = true;
  std::vector<Result> expected;
  for (std::size_t batch = 0; batch < kRerankBatches; ++batch) {
    for (std::size_t q = 0; q < count; ++q) {
      expected.push_back(corpus.search("cuda", request(batch, q)));
      if (q < kCheckedQueries) equal = equal && expected.back() == corpus.search("cpu", request(batch, q));
    }
  }
  const auto batches = [&](std::size_t in_flight) {
    return repeat(kLeastRuns, kSeconds, [&](std::size_t run) {
      const std::size_t batch = run % kRerankBatches;
      std::vector<Result> found(count, Result(1, k));
      std::atomic<std::size_t> taken{0};
      call_together(corpus.engine(), in_flight, [&](std::size_t) {
        for (std::size_t q; (q = taken++) < count;) found[q] = corpus.search("cuda", request(batch, q));
      });
      for (std::size_t q = 0; q < count; ++q) equal = equal && found[q] == expected[batch * count + q];
    });
  };
  const std::vector<double> together = batches(count);
  const std::vector<double> in_turn = batches(1);
  std::printf(
      "{\"workload\":\"rerank\",\"rows\":%zu,\"documentVectors\":%u,\"dimension\":%u,\"queries\":%zu,"
      "\"queryVectors\":%u,\"candidates\":%zu,\"k\":%u,\"runs\":%zu,\"medianSeconds\":%.9f,"
      "\"p99Seconds\":%.9f,\"inTurnSeconds\":%.9f,\"bitEqual\":%s}\n",
      corpus.rows(), corpus.document_vectors(), corpus.dimension(), count, query_vectors, candidates, k,
      together.size(), quantile(together, 0.5), quantile(together, 0.99), quantile(in_turn, 0.5),
      truth(equal));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string workload = argc > 1 ? argv[1] : "";
  std::vector<uint32_t> numbers;
  for (int i = 2; i < argc; ++i) numbers.push_back(static_cast<uint32_t>(std::strtoul(argv[i], nullptr, 10)));
  const bool known = (workload == "rows" && numbers.size() >= 4) ||
                     (workload == "documents" && numbers.size() >= 6) ||
                     (workload == "rerank" && numbers.size() == 7);
  if (!known || std::find(numbers.begin(), numbers.end(), 0u) != numbers.end()) {
    std::fprintf(
        stderr,
        "usage: granule_cuda_bench rows <rows> <dimension> <k> <queries>...\n"
        "       granule_cuda_bench documents <documents> <their vectors> <dimension> <query vectors> "
        "<k> <queries>...\n"
        "       granule_cuda_bench rerank <documents> <their vectors> <dimension> <query vectors> <k> "
        "<queries> <candidates>\n");
    return 2;
  }
  // Rows have no documents, and their queries are single vectors.
  if (workload == "rows") {
    numbers.insert(numbers.begin() + 1, 0);
    numbers.insert(numbers.begin() + 3, 1);
  }
  const uint32_t rows = numbers[0];
  const uint32_t document_vectors = numbers[1];
  const uint32_t dimension = numbers[2];
  const uint32_t query_vectors = numbers[3];
  const uint32_t k = numbers[4];
  const std::shared_ptr<Engine> engine = open_engine();
  {
    // Kernels are loaded when they are first used; that is no part of a corpus's transfer.
    const Corpus small(engine, std::min<std::size_t>(rows, kWarmingRows), dimension,
                       document_vectors == 0 ? 0 : 2);
    std::vector<float> queries(std::size_t{numbers[5]} * query_vectors * dimension);
    fill(queries.data(), std::size_t{numbers[5]} * query_vectors, dimension, 0);
    small.search("cuda", {queries.data(), numbers[5], query_vectors, 1});
  }
  const Corpus corpus(engine, rows, dimension, document_vectors);
  if (workload == "rerank") {
    measure_rerank(corpus, query_vectors, k, numbers[5], numbers[6]);
  } else {
    for (std::size_t i = 5; i < numbers.size(); ++i)
      measure_batch(corpus, workload.c_str(), query_vectors, k, numbers[i], i == 5);
  }
  return all_equal ? 0 : 1;
}
