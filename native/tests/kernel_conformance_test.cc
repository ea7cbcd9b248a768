// Every kernel of every instruction set that runs here, against the oracle, bit for bit. To add an
// instruction set, add its table to kernel_table.cc: these tests find it. To add an operation, add a test
// case that loops over `tables()`.

#include <doctest/doctest.h>

#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "core/canonical_exp.h"
#include "kernels/kernel_table.h"
#include "tests/kernel_tables.h"
#include "tests/oracle.h"
#include "tests/test_data.h"

using namespace granule;
using test_data::Kind;

namespace {

std::vector<const KernelTable*> tables() {
  std::vector<const KernelTable*> out;
  for (const Isa isa : available_isas(detect_cpu_features())) out.push_back(kernel_table(isa));
  return out;
}

constexpr std::size_t kDimensions[] = {1,  2,  7,  8,   9,   15,  16,  17,  31,
                                       63, 64, 65, 127, 128, 129, 767, 768, 769};

}  // namespace

TEST_CASE("inner products have the reference's bits for every dimension, shape and kind of vector") {
  for (const KernelTable* table : tables()) {
    CAPTURE(isa_name(table->isa));
    for (const std::size_t dimension : kDimensions) {
      CAPTURE(dimension);
      for (const Kind kind : test_data::kAllKinds) {
        const std::size_t row_count = dimension % 2 == 0 ? 21 : 13;
        const std::size_t query_count = dimension % 3 + 4;
        const std::vector<float> rows = test_data::vectors(kind, row_count, dimension, dimension);
        const std::vector<float> queries = test_data::vectors(kind, query_count, dimension, dimension + 1);
        const std::size_t stride = (dimension + 7) / 8 * 8;
        std::vector<double> widened(query_count * stride, 0.0);
        for (std::size_t q = 0; q < query_count; ++q) {
          for (std::size_t i = 0; i < dimension; ++i) widened[q * stride + i] = queries[q * dimension + i];
        }
        for (std::size_t qs = 1; qs <= query_count; ++qs) {
          for (std::size_t rs = 0; rs <= row_count; rs += (rs < 9 ? 1 : 4)) {
            std::vector<double> out(qs * row_count, -77.0);
            table->inner_product(widened.data(), qs, stride, rows.data(), rs, dimension, dimension,
                                 out.data(), row_count);
            bool equal = true;
            for (std::size_t q = 0; q < qs; ++q) {
              for (std::size_t r = 0; r < row_count; ++r) {
                const double expected =
                    r < rs ? oracle::dot(&queries[q * dimension], &rows[r * dimension], dimension) : -77.0;
                equal = equal && oracle::bits(out[q * row_count + r]) == oracle::bits(expected);
              }
            }
            REQUIRE(equal);
          }
        }
      }
    }
  }
}

TEST_CASE("a kernel never reads behind the last element of the last row") {
  // The sanitizer builds catch a read beyond this exactly sized buffer.
  for (const KernelTable* table : tables()) {
    for (std::size_t dimension = 1; dimension <= 17; ++dimension) {
      const std::vector<double> query((dimension + 7) / 8 * 8, 0.0);
      std::vector<float> rows(5 * dimension, 1.0f);
      rows.shrink_to_fit();
      double out[5];
      table->inner_product(query.data(), 1, query.size(), rows.data(), 5, dimension, dimension, out, 5);
      CHECK(out[4] == 0.0);
    }
  }
}

TEST_CASE("MaxSim's fold keeps the first of the greatest similarities, rounded to float32") {
  test_data::Random random(5);
  for (const KernelTable* table : tables()) {
    CAPTURE(isa_name(table->isa));
    for (std::size_t count = 0; count <= 67; ++count) {
      for (int round = 0; round < 20; ++round) {
        std::vector<double> similarities(count);
        for (double& s : similarities) {
          // Few values, and differences below float32's resolution: ties that only rounding makes.
          s = static_cast<double>(random.below(4)) + static_cast<double>(random.below(3)) * 1e-12 - 2.0;
        }
        const float start = round % 2 == 0 ? -std::numeric_limits<float>::infinity() : 0.0f;
        float best = start;
        uint32_t at = 99;
        table->maxsim_fold(similarities.data(), count, 1000, &best, &at);
        float expected = start;
        uint32_t expected_at = 99;
        for (std::size_t j = 0; j < count; ++j) {
          if (static_cast<float>(similarities[j]) > expected) {
            expected = static_cast<float>(similarities[j]);
            expected_at = 1000 + static_cast<uint32_t>(j);
          }
        }
        REQUIRE(oracle::bits(best) == oracle::bits(expected));
        REQUIRE(at == expected_at);
      }
    }
  }
}

TEST_CASE(
    "softmax terms and their sum are the same bits for every instruction set, and close to the true values") {
  for (const float spread : {0.0f, 1e-6f, 1.0f, 50.0f, 1e4f}) {
    for (std::size_t count = 1; count <= 70; ++count) {
      std::vector<float> scores = test_data::vectors(Kind::uniform, count, 1, count);
      float maximum = -std::numeric_limits<float>::infinity();
      for (float& s : scores) maximum = std::max(maximum, s *= spread);
      for (const double temperature : {1.0, 0.01, 3.7}) {
        std::vector<double> expected(count);
        const double expected_sum =
            softmax_terms_f32_scalar(scores.data(), count, maximum, temperature, expected.data());
        for (std::size_t i = 0; i < count; ++i) {
          const double truth = std::exp((static_cast<double>(scores[i]) - maximum) / temperature);
          const bool near = std::abs(expected[i] - truth) <= 1e-15 * truth;
          const bool far_below = truth < 1e-300 && expected[i] <= 1e-300;
          REQUIRE((near || far_below));
        }
        for (const KernelTable* table : tables()) {
          std::vector<double> terms(count, -1.0);
          const double sum = table->softmax_terms(scores.data(), count, maximum, temperature, terms.data());
          REQUIRE(oracle::bits(sum) == oracle::bits(expected_sum));
          for (std::size_t i = 0; i < count; ++i)
            REQUIRE(oracle::bits(terms[i]) == oracle::bits(expected[i]));
          REQUIRE(oracle::bits(table->softmax_terms(scores.data(), count, maximum, temperature, nullptr)) ==
                  oracle::bits(expected_sum));
        }
      }
    }
  }
}

TEST_CASE("the reference exponential is within two units in the last place and monotone where it must be") {
  CHECK(canonical_exp(0.0) == 1.0);
  CHECK(canonical_exp(-1e6) == 0.0);
  double previous = 1.0;
  for (int i = 1; i <= 70000; ++i) {
    const double x = -0.01 * i;
    const double value = canonical_exp(x);
    const double truth = std::exp(x);
    REQUIRE(std::abs(value - truth) <= 4.5e-16 * truth);
    REQUIRE(value < previous);
    previous = value;
  }
}

TEST_CASE("selection lists exactly the positions at or above the threshold") {
  for (const KernelTable* table : tables()) {
    for (std::size_t count = 0; count <= 50; ++count) {
      const std::vector<float> scores = test_data::vectors(Kind::few_values, count, 1, count);
      for (const float threshold : {-2.0f, -1.0f, 0.0f, 1.0f, 2.0f}) {
        std::vector<uint32_t> expected;
        for (std::size_t i = 0; i < count; ++i) {
          if (scores[i] >= threshold) expected.push_back(static_cast<uint32_t>(i));
        }
        std::vector<uint32_t> positions(count);
        positions.resize(table->softmax_select(scores.data(), count, threshold, positions.data()));
        REQUIRE(positions == expected);
      }
    }
  }
}

TEST_CASE("the instruction sets found are those of the processor") {
  std::string found;
  for (const Isa isa : available_isas(detect_cpu_features())) found += std::string(" ") + isa_name(isa);
  std::string not_run;
  for (const Isa isa : kAllIsas) {
    if (kernel_table(isa) != nullptr && !detect_cpu_features().supports(isa)) {
      not_run += std::string(" ") + isa_name(isa);
    }
  }
  MESSAGE("instruction sets run:" << found << "; compiled, not run:" << (not_run.empty() ? " none" : not_run)
                                  << test_kernels::stand_ins());
  // Set where the tests run on an emulated processor that is known.
  const char* expected = std::getenv("GRANULE_TEST_INSTRUCTION_SETS");
  CHECK(found == std::string(" ") + (expected != nullptr ? expected : found.c_str() + 1));
}

TEST_CASE("an instruction set runs only where all that its kernels use is there") {
  CpuFeatures features;
  CHECK(available_isas(features) == std::vector<Isa>{Isa::scalar});
  features.avx2 = features.fma = features.f16c = true;
  CHECK_FALSE(features.supports(Isa::avx2));
  features.sse42 = true;
  CHECK(features.supports(Isa::avx2));
  CHECK_FALSE(features.supports(Isa::avxvnni));
  CHECK_FALSE(features.supports(Isa::avx512));
  features.avxvnni = true;
  CHECK(features.supports(Isa::avxvnni));
  features.avx512f = features.avx512bw = features.avx512dq = features.avx512vl = true;
  CHECK(features.supports(Isa::avx512));
  CHECK_FALSE(features.supports(Isa::avx512vnni));
  features.avx512vnni = true;
  CHECK(features.supports(Isa::avx512vnni));
  features.avx2 = false;
  for (const Isa isa : {Isa::avx2, Isa::avxvnni, Isa::avx512, Isa::avx512vnni}) {
    CHECK_FALSE(features.supports(isa));
  }

  features.neon = true;
  CHECK(features.supports(Isa::neon));
  features.dotprod = features.i8mm = true;
  CHECK_FALSE(features.supports(Isa::neondot));
  features.crc32 = true;
  CHECK(features.supports(Isa::neondot));
  CHECK(features.supports(Isa::neoni8mm));
  features.dotprod = false;
  CHECK_FALSE(features.supports(Isa::neoni8mm));
}

TEST_CASE("the kernel choice obeys GRANULE_ISA and refuses what cannot run") {
  const CpuFeatures features = detect_cpu_features();
  KernelChoice choice;
  REQUIRE(choose_kernels(features, nullptr, &choice).ok());
  CHECK(choice.table->isa == available_isas(features).back());
  REQUIRE(choose_kernels(features, "scalar", &choice).ok());
  CHECK(choice.table->isa == Isa::scalar);
  const Status refused = choose_kernels(features, "sse9", &choice);
  CHECK(refused.code == StatusCode::isa_unsupported);
  CHECK(refused.message.find("scalar") != std::string::npos);
  CHECK(choose_kernels(CpuFeatures{}, "avx512", &choice).code == StatusCode::isa_unsupported);
  REQUIRE(choose_kernels(CpuFeatures{}, "", &choice).ok());
  CHECK(choice.table->isa == Isa::scalar);
}
