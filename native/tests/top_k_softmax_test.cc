#include "index/top_k_softmax.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "tests/oracle.h"
#include "tests/test_data.h"

using namespace granule;

TEST_CASE("the k greatest scores come in order, with the softmax over them and their share of the whole") {
  for (const Isa isa : available_isas(detect_cpu_features())) {
    for (const std::size_t count : {1u, 2u, 7u, 100u, 9001u}) {
      for (const test_data::Kind kind : {test_data::Kind::uniform, test_data::Kind::few_values}) {
        const std::vector<float> scores = test_data::vectors(kind, count, 1, count);
        for (const std::size_t k : {std::size_t{1}, (count + 1) / 2, count}) {
          TopKSoftmax out;
          REQUIRE(top_k_softmax(*kernel_table(isa), scores.data(), count, k, 0.25, &out).ok());
          std::vector<std::pair<float, uint32_t>> all;
          for (uint32_t i = 0; i < count; ++i) all.emplace_back(scores[i], i);
          const auto expected = oracle::ranked(all, k);
          double top = 0;
          double total = 0;
          for (const auto& entry : expected) top += std::exp(entry.first / 0.25);
          for (const float s : scores) total += std::exp(s / 0.25);
          for (std::size_t i = 0; i < k; ++i) {
            REQUIRE(out.rows[i] == expected[i].second);
            REQUIRE(oracle::bits(out.scores[i]) == oracle::bits(expected[i].first));
            REQUIRE(out.probabilities[i] ==
                    doctest::Approx(std::exp(expected[i].first / 0.25) / top).epsilon(1e-6));
          }
          CHECK(out.log_sum_exp == doctest::Approx(std::log(total)).epsilon(1e-12));
          CHECK(out.mass == doctest::Approx(top / total).epsilon(1e-12));
          CHECK(out.mass <= 1.0);
        }
      }
    }
  }
}

TEST_CASE("a score that is not finite is refused with its position") {
  const float scores[3] = {1, 2, NAN};
  TopKSoftmax out;
  const Status status = top_k_softmax(*kernel_table(Isa::scalar), scores, 3, 1, 1, &out);
  CHECK(status.code == StatusCode::not_finite);
  CHECK(status.row == 2);
}
