// In-batch contrast on every instruction set that runs here: the same bits, for any number of threads and
// whether similarities are kept or computed again. That they are the right numbers is tested from JavaScript,
// against float64 and finite differences.

#include "training/in_batch_contrast.h"

#include <doctest/doctest.h>

#include <cstring>
#include <vector>

#include "tests/kernel_tables.h"
#include "tests/test_data.h"

using namespace granule;
using test_data::Kind;

namespace {

struct Example {
  std::size_t queries, documents, dimension;
  double temperature;
  ContrastDirection direction;
  std::vector<float> q = test_data::vectors(Kind::uniform, queries, dimension, 1);
  std::vector<float> d = test_data::vectors(Kind::uniform, documents, dimension, 2);
  std::vector<uint32_t> groups = {};
  std::vector<double> weights = {};
  std::vector<uint32_t> positives = {};
  std::vector<uint32_t> excluded_ends = {};
  std::vector<uint32_t> excluded = {};

  ContrastBatch batch() const {
    return {q.data(),
            queries,
            d.data(),
            documents,
            dimension,
            temperature,
            direction,
            positives.empty() ? nullptr : positives.data(),
            groups.empty() ? nullptr : groups.data(),
            weights.empty() ? nullptr : weights.data(),
            excluded_ends.empty() ? nullptr : excluded_ends.data(),
            excluded.data()};
  }

  /// Both gradients, the loss and its slope.
  /// @param held what the gradients hold before
  std::vector<double> run(ThreadPool& pool, const KernelTable& kernels, unsigned threads,
                          std::size_t kept_bytes, float held = -77) const {
    const CancelFlag cancel;
    std::vector<float> queries_out(q.size(), held), documents_out(d.size(), held);
    ContrastGradients out{queries_out.data(), documents_out.data(), 0, 0};
    REQUIRE(in_batch_contrast({pool, kernels, threads, cancel}, batch(), kept_bytes, &out).ok());
    std::vector<double> all{out.loss, out.temperature};
    all.insert(all.end(), queries_out.begin(), queries_out.end());
    all.insert(all.end(), documents_out.begin(), documents_out.end());
    return all;
  }
};

bool same(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

constexpr ContrastDirection kDirections[] = {ContrastDirection::query_to_document,
                                             ContrastDirection::document_to_query, ContrastDirection::both};

}  // namespace

TEST_CASE("every instruction set and number of threads gives a contrast the same loss and gradients") {
  ThreadPool pool;
  pool.grow_to(4);
  for (const ContrastDirection direction : kDirections) {
    // Several blocks of rows, the last run of which is not whole; at 0.01 both directions go one by one.
    for (const double temperature : {0.5, 0.01}) {
      Example example{531, 547, 7, temperature, direction};
      for (std::size_t j = 0; j < example.documents; ++j)
        example.groups.push_back(static_cast<uint32_t>(j % 401));
      for (std::size_t i = 0; i < example.queries; ++i) example.weights.push_back(static_cast<double>(i % 3));
      CAPTURE(static_cast<int>(direction));
      CAPTURE(temperature);
      const std::vector<double> expected = example.run(pool, *kernel_table(Isa::scalar), 1, 1u << 30);
      for (const KernelTable& table : test_kernels::float_tables()) {
        CAPTURE(table.matrix_tile.symbol);
        CHECK(same(example.run(pool, table, 3, 1u << 30), expected));
      }
      const KernelTable best = test_kernels::float_tables().back();
      // One number less than all similarities take.
      const std::size_t too_few = example.queries * example.documents * sizeof(float) - sizeof(float);
      CHECK(same(example.run(pool, best, 3, too_few), expected));
    }
  }
}

TEST_CASE("positives that queries share and pairs that are excluded change no bit with threads and memory") {
  ThreadPool pool;
  pool.grow_to(4);
  for (const ContrastDirection direction : kDirections) {
    for (const double temperature : {0.5, 0.01}) {
      // Fewer documents than queries: several look for each of the first 50.
      Example example{211, 90, 7, temperature, direction};
      for (uint32_t i = 0; i < example.queries; ++i) {
        example.positives.push_back(i * 7 % 50);
        for (uint32_t j = i % 5; j < 90; j += 31)
          if (j != example.positives.back()) example.excluded.push_back(j);
        example.excluded_ends.push_back(static_cast<uint32_t>(example.excluded.size()));
      }
      CAPTURE(static_cast<int>(direction));
      CAPTURE(temperature);
      const std::vector<double> expected = example.run(pool, *kernel_table(Isa::scalar), 1, 1u << 30);
      for (const KernelTable& table : test_kernels::float_tables()) {
        CAPTURE(table.matrix_tile.symbol);
        CHECK(same(example.run(pool, table, 3, 1u << 30), expected));
      }
      CHECK(same(example.run(pool, test_kernels::float_tables().back(), 3, 0, 0), expected));
    }
  }
}

TEST_CASE("more queries than are compared at once change no bit with memory") {
  ThreadPool pool;
  pool.grow_to(4);
  Example example{2500, 90, 7, 0.5, ContrastDirection::both};
  for (uint32_t i = 0; i < example.queries; ++i) example.positives.push_back(i * 7 % 90);
  const KernelTable table = test_kernels::float_tables().back();
  CHECK(same(example.run(pool, table, 3, 1u << 30), example.run(pool, table, 1, 0)));
}

TEST_CASE("a contrast that is cancelled says so") {
  ThreadPool pool;
  CancelFlag cancel;
  cancel.cancel();
  for (const ContrastDirection direction : kDirections) {
    const Example example{3, 4, 5, 1, direction};
    std::vector<float> queries(example.q.size()), documents(example.d.size());
    ContrastGradients out{queries.data(), documents.data(), 0, 0};
    const Status status = in_batch_contrast({pool, *kernel_table(Isa::scalar), 2, cancel}, example.batch(),
                                            kKeptSimilarityBytes, &out);
    CHECK(status.code == StatusCode::aborted);
  }
}
