// Towers and AdamW on every instruction set that runs here: the same bits, for any number of threads. That
// they are the right numbers is tested from JavaScript, against float64 and finite differences.

#include "training/tower.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
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

  using Gradients = std::array<std::vector<float>, 4>;

  /// What both passes give row by row: outputs, hidden numbers, norms and the inputs' gradient.
  struct ByRow {
    std::vector<float> outputs, hidden, norms, input_gradient;
  };

  /// Both passes of some rows; gradients of parameters are added.
  ByRow pass(const MatrixWorkers& workers, std::size_t first, std::size_t rows, Gradients* gradients) const {
    ByRow out;
    out.outputs.resize(rows * shape.output);
    out.hidden.resize(rows * shape.hidden);
    out.input_gradient.resize(rows * shape.input);
    std::vector<double> norms(rows);
    const float* from = inputs.data() + first * shape.input;
    REQUIRE(tower_forward(workers, shape, parameters(), from, rows,
                          {out.outputs.data(), out.hidden.data(), norms.data()})
                .ok());
    const auto sum = [&](std::size_t g) {
      return g % 2 == 1 && !biased() ? nullptr : (*gradients)[g].data();
    };
    REQUIRE(tower_backward(workers, shape, parameters(), {sum(0), sum(1), sum(2), sum(3)},
                           {from, rows, out.outputs.data(), out.hidden.data(), norms.data(),
                            output_gradient.data() + first * shape.output, out.input_gradient.data()})
                .ok());
    for (const double norm : norms) out.norms.push_back(static_cast<float>(norm));
    return out;
  }

  /// All that the passes of all rows give, one after the other; gradients go on from the parameters.
  std::vector<float> run(ThreadPool& pool, const KernelTable& kernels, unsigned threads) const {
    const CancelFlag cancel;
    Gradients gradients = start();
    ByRow all = pass({pool, kernels, threads, cancel}, 0, kRows, &gradients);
    std::vector<float> out;
    for (const std::vector<float>* part : {&all.outputs, &all.hidden, &all.norms, &all.input_gradient})
      out.insert(out.end(), part->begin(), part->end());
    for (const std::vector<float>& gradient : gradients)
      out.insert(out.end(), gradient.begin(), gradient.end());
    return out;
  }

  Gradients start() const { return {hidden_weight, hidden_bias, output_weight, output_bias}; }
};

bool same(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

std::vector<Example> examples() {
  return {{{TowerKind::linear, 37, 0, 21, 1, false, true}},
          {{TowerKind::low_rank, 35, 5, 35, 0.3, false, true}},
          {{TowerKind::mlp, 33, 41, 33, 1, true, true}},
          {{TowerKind::mlp, 19, 40, 18, 1, false, false}}};
}

}  // namespace

TEST_CASE("every instruction set and number of threads gives a tower the same outputs and gradients") {
  ThreadPool pool;
  pool.grow_to(4);
  for (const Example& example : examples()) {
    CAPTURE(static_cast<int>(example.shape.kind));
    const std::vector<float> expected = example.run(pool, *kernel_table(Isa::scalar), 1);
    for (const KernelTable& table : test_kernels::float_tables()) {
      CAPTURE(table.matrix_tile.symbol);
      for (const unsigned threads : {1u, 3u}) CHECK(same(example.run(pool, table, threads), expected));
    }
  }
}

TEST_CASE("the rows that are under way at a time do not show in what a tower gives") {
  ThreadPool pool;
  pool.grow_to(4);
  const CancelFlag cancel;
  const KernelTable best = test_kernels::tables().back();
  const MatrixWorkers workers{pool, best, 3, cancel};
  for (const Example& example : examples()) {
    CAPTURE(static_cast<int>(example.shape.kind));
    Example::Gradients together = example.start(), apart = together;
    const Example::ByRow whole = example.pass(workers, 0, kRows, &together);
    Example::ByRow parts = example.pass(workers, 0, kTowerRows, &apart);
    const Example::ByRow rest = example.pass(workers, kTowerRows, kRows - kTowerRows, &apart);
    const auto check = [&](std::vector<float> Example::ByRow::*part) {
      (parts.*part).insert((parts.*part).end(), (rest.*part).begin(), (rest.*part).end());
      CHECK(same(parts.*part, whole.*part));
    };
    check(&Example::ByRow::outputs);
    check(&Example::ByRow::hidden);
    check(&Example::ByRow::norms);
    check(&Example::ByRow::input_gradient);
    // Weights' gradients go on as one chain; those of biases are rounded once per pass.
    CHECK(same(apart[0], together[0]));
    CHECK(same(apart[2], together[2]));
    for (const std::size_t bias : {1, 3}) {
      for (std::size_t i = 0; i < apart[bias].size(); ++i)
        CHECK(apart[bias][i] == doctest::Approx(together[bias][i]).epsilon(1e-5));
    }
  }
}

TEST_CASE("the gradient of a bias is a sum in float64, rows ascending, of as many numbers as there are") {
  ThreadPool pool;
  pool.grow_to(4);
  const CancelFlag cancel;
  const KernelTable best = test_kernels::tables().back();
  const Example example{{TowerKind::linear, 2, 0, 131, 1, false, false}};
  Example::Gradients gradients = example.start();
  example.pass({pool, best, 3, cancel}, 0, kRows, &gradients);
  for (std::size_t j = 0; j < 131; ++j) {
    double sum = 0;
    for (std::size_t r = 0; r < kRows; ++r) sum += static_cast<double>(example.output_gradient[r * 131 + j]);
    CHECK(gradients[3][j] == example.output_bias[j] + static_cast<float>(sum));
  }
}

TEST_CASE("a number that is not finite is named by its row, also behind the rows first under way") {
  ThreadPool pool;
  const CancelFlag cancel;
  const KernelTable best = test_kernels::tables().back();
  const MatrixWorkers workers{pool, best, 2, cancel};
  Example example{{TowerKind::linear, 3, 0, 2, 1, false, true}};
  const auto mapped = [&] {
    std::vector<float> outputs(kRows * 2);
    return tower_forward(workers, example.shape, example.parameters(), example.inputs.data(), kRows,
                         {outputs.data(), nullptr, nullptr});
  };
  REQUIRE(mapped().ok());
  constexpr std::size_t kRow = kTowerRows + 67;
  example.inputs[kRow * 3 + 1] = std::numeric_limits<float>::infinity();
  const Status input = mapped();
  CHECK(input.code == StatusCode::not_finite);
  CHECK(input.row == static_cast<int64_t>(kRow));
  CHECK(input.column == 1);
  example.inputs[kRow * 3 + 1] = 3e38f;
  example.output_weight[3 + 1] = 2;
  const Status output = mapped();
  CHECK(output.code == StatusCode::not_finite);
  CHECK(output.row == static_cast<int64_t>(kRow));
  CHECK(output.column == 1);
}

TEST_CASE("an input that is not finite is named, whatever the weights make of it") {
  ThreadPool pool;
  const CancelFlag cancel;
  const KernelTable best = test_kernels::tables().back();
  const MatrixWorkers workers{pool, best, 1, cancel};
  for (const TowerKind kind : {TowerKind::linear, TowerKind::low_rank, TowerKind::mlp}) {
    for (const float weight : {0.0f, -1.0f}) {
      for (const float bad :
           {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
        CAPTURE(static_cast<int>(kind));
        CAPTURE(weight);
        CAPTURE(bad);
        const std::size_t hidden = kind == TowerKind::linear ? 0 : 2;
        const std::vector<float> weights(4, weight);
        const float inputs[] = {1, 2, 3, bad};
        float outputs[4];
        // max(0, -infinity) is 0: behind it nothing shows that the input was not finite.
        const Status status = tower_forward(workers, {kind, 2, hidden, 2, 1, false, true},
                                            {weights.data(), nullptr, weights.data(), nullptr}, inputs, 2,
                                            {outputs, nullptr, nullptr});
        CHECK(status.code == StatusCode::not_finite);
        CHECK(status.message.find("output") == std::string::npos);
        CHECK(status.row == 1);
        CHECK(status.column == 1);
      }
    }
  }
}

TEST_CASE("a norm of 1e-12 and more is that of a vector with a direction") {
  ThreadPool pool;
  const CancelFlag cancel;
  const TowerShape shape{TowerKind::linear, 2, 0, 2, 1, false, true};
  const float identity[] = {1, 0, 0, 1};
  for (const KernelTable& table : test_kernels::tables()) {
    const auto mapped = [&](float length) {
      const float input[] = {0.6f * length, 0.8f * length};
      float output[2];
      REQUIRE(tower_forward({pool, table, 1, cancel}, shape, {nullptr, nullptr, identity, nullptr}, input, 1,
                            {output, nullptr, nullptr})
                  .ok());
      return std::hypot(output[0], output[1]);
    };
    CHECK(mapped(2e-12f) == doctest::Approx(1));
    CHECK(mapped(5e-13f) == doctest::Approx(0.5));
    CHECK(mapped(0) == 0);
  }
}

TEST_CASE("every instruction set and number of threads takes the same step of AdamW") {
  ThreadPool pool;
  pool.grow_to(4);
  const std::size_t counts[] = {50001, 3, 1, 13, 4, 8};
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
    const AdamWStep step{{0.01, 0.9, 0.999, 1e-8, 0.1, 0.001}, 1, threads};
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
