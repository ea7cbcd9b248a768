// Towers and AdamW on every instruction set that runs here: the same bits, for any number of threads. That
// they are the right numbers is tested from JavaScript, against float64 and finite differences.

#include "training/tower.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "tests/kernel_tables.h"
#include "tests/test_data.h"
#include "training/adamw.h"

using namespace granule;
using test_data::Kind;

namespace {

/// More than one run of rows, and enough work for several threads.
constexpr std::size_t kRows = kTowerRows + 70;

struct Example {
  TowerShape shape;
  std::vector<float> inputs = test_data::vectors(Kind::mixed_magnitudes, kRows, shape.input, 1);
  std::vector<float> output_gradient = test_data::vectors(Kind::uniform, kRows, shape.output, 2);
  std::vector<float> hidden_weight = test_data::vectors(Kind::uniform, shape.hidden, shape.input, 3);
  std::vector<float> hidden_bias = test_data::vectors(Kind::uniform, shape.hidden, 1, 4);
  std::vector<float> output_weight =
      test_data::vectors(Kind::uniform, shape.output, shape.hidden == 0 ? shape.input : shape.hidden, 5);
  std::vector<float> output_bias = test_data::vectors(Kind::uniform, shape.output, 1, 6);

  bool biased() const { return shape.kind != TowerKind::low_rank; }
  TowerTensors<const float> parameters() const {
    return {hidden_weight.data(), biased() ? hidden_bias.data() : nullptr, output_weight.data(),
            biased() ? output_bias.data() : nullptr};
  }

  /// Outputs, hidden numbers, norms, gradients and the inputs' gradient, one after the other.
  std::vector<float> run(ThreadPool& pool, const KernelTable& kernels, unsigned threads) const {
    const CancelFlag cancel;
    const MatrixWorkers workers{pool, kernels, threads, cancel};
    std::vector<float> outputs(kRows * shape.output), hidden(kRows * shape.hidden);
    std::vector<double> norms(kRows);
    REQUIRE(tower_forward(workers, shape, parameters(), inputs.data(), kRows,
                          {outputs.data(), hidden.data(), norms.data()})
                .ok());
    std::vector<float> gradients[4] = {hidden_weight, hidden_bias, output_weight, output_bias};
    const TowerTensors<float> sums{gradients[0].data(), biased() ? gradients[1].data() : nullptr,
                                   gradients[2].data(), biased() ? gradients[3].data() : nullptr};
    std::vector<float> input_gradient(kRows * shape.input);
    REQUIRE(tower_backward(workers, shape, parameters(), sums,
                           {inputs.data(), kRows, outputs.data(), hidden.data(), norms.data(),
                            output_gradient.data(), input_gradient.data()})
                .ok());
    std::vector<float> out = outputs;
    out.insert(out.end(), hidden.begin(), hidden.end());
    for (const double norm : norms) out.push_back(static_cast<float>(norm));
    for (const std::vector<float>& gradient : gradients)
      out.insert(out.end(), gradient.begin(), gradient.end());
    out.insert(out.end(), input_gradient.begin(), input_gradient.end());
    return out;
  }
};

bool same(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace

TEST_CASE("every instruction set and number of threads gives a tower the same outputs and gradients") {
  ThreadPool pool;
  pool.grow_to(4);
  const Example examples[] = {{{TowerKind::linear, 37, 0, 21, 1, false, true}},
                              {{TowerKind::low_rank, 35, 5, 35, 0.3, false, true}},
                              {{TowerKind::mlp, 33, 41, 33, 1, true, true}},
                              {{TowerKind::mlp, 19, 40, 18, 1, false, false}}};
  for (const Example& example : examples) {
    CAPTURE(static_cast<int>(example.shape.kind));
    const std::vector<float> expected = example.run(pool, *kernel_table(Isa::scalar), 1);
    for (const KernelTable& table : test_kernels::float_tables()) {
      CAPTURE(table.matrix_tile.symbol);
      for (const unsigned threads : {1u, 3u}) CHECK(same(example.run(pool, table, threads), expected));
    }
  }
}

TEST_CASE("every instruction set and number of threads takes the same step of AdamW") {
  ThreadPool pool;
  pool.grow_to(4);
  const std::size_t counts[] = {50001, 3, 1};
  const auto run = [&](const KernelTable& kernels, unsigned threads) {
    std::vector<std::vector<float>> arrays;
    std::vector<AdamWTensor> tensors;
    for (const std::size_t count : counts) {
      for (const Kind kind : {Kind::uniform, Kind::mixed_magnitudes, Kind::uniform, Kind::uniform}) {
        arrays.push_back(test_data::vectors(kind, count, 1, count + arrays.size()));
      }
      for (float& square : arrays.back()) square = std::fabs(square);
    }
    for (std::size_t t = 0; t < std::size(counts); ++t) {
      tensors.push_back({arrays[4 * t].data(), arrays[4 * t + 1].data(), arrays[4 * t + 2].data(),
                         arrays[4 * t + 3].data(), counts[t], 0.1});
    }
    double norm = 0;
    const AdamWStep step{0.01, 0.9, 0.999, 1e-8, 0.1, 0.001, 1, threads};
    REQUIRE(adamw_step(pool, kernels, tensors, step, &norm).ok());
    std::vector<float> out;
    for (const std::vector<float>& array : arrays) out.insert(out.end(), array.begin(), array.end());
    out.push_back(static_cast<float>(norm));
    return out;
  };
  const std::vector<float> expected = run(*kernel_table(Isa::scalar), 1);
  for (const KernelTable& table : test_kernels::float_tables()) {
    CAPTURE(table.squared_norm.symbol);
    for (const unsigned threads : {1u, 3u}) CHECK(same(run(table, threads), expected));
  }
}

TEST_CASE("a tower that is cancelled says so") {
  ThreadPool pool;
  CancelFlag cancel;
  cancel.cancel();
  const MatrixWorkers workers{pool, *kernel_table(Isa::scalar), 2, cancel};
  const TowerShape shape{TowerKind::linear, 2, 0, 1, 1, false, true};
  const float numbers[] = {1, 2};
  float output = 0;
  const TowerTensors<const float> parameters{nullptr, nullptr, numbers, nullptr};
  CHECK(tower_forward(workers, shape, parameters, numbers, 1, {&output, nullptr, nullptr}).code ==
        StatusCode::aborted);
  float gradient[2] = {};
  const double norm = 5;
  const TowerTensors<float> gradients{nullptr, nullptr, gradient, nullptr};
  CHECK(tower_backward(workers, shape, parameters, gradients,
                       {numbers, 1, &output, nullptr, &norm, numbers, nullptr})
            .code == StatusCode::aborted);
}
