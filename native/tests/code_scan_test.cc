#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "core/aligned_buffer.h"
#include "kernels/kernel_table.h"
#include "tests/coded_rows.h"
#include "tests/kernel_tables.h"
#include "tests/oracle.h"
#include "tests/search_fixture.h"
#include "tests/test_data.h"

using namespace granule;
using test_data::Coded;
using test_data::Kind;

TEST_CASE("codes stand for their rows within the norms that are kept with them") {
  for (const Kind kind : test_data::kAllKinds) {
    for (const std::size_t dimension : {1u, 3u, 4u, 5u, 63u, 768u}) {
      const std::vector<float> rows = test_data::vectors(kind, 32, dimension, dimension);
      const Coded coded(rows, dimension);
      if (!coded.in_range) continue;
      for (std::size_t r = 0; r < 32; ++r) {
        long double residual = 0;
        long double norm = 0;
        for (std::size_t i = 0; i < dimension; ++i) {
          const long double approximation = coded.approximation(r, i);
          residual += (rows[r * dimension + i] - approximation) * (rows[r * dimension + i] - approximation);
          norm += approximation * approximation;
        }
        REQUIRE(std::sqrt(residual) <= coded.residual_norms[r]);
        REQUIRE(std::sqrt(norm) <= coded.code_norms[r]);
        // A code is off by half a step at most, and a little for roundings.
        REQUIRE(coded.residual_norms[r] <=
                0.51 * coded.scales[r] * std::sqrt(static_cast<double>(dimension)) +
                    coded.scales[r] * 0x1p-14);
      }
    }
  }
}

TEST_CASE("every instruction set gives the same codes and norms") {
  std::vector<std::size_t> dimensions = {127, 128, 129, 768, 4099, 65536};
  for (std::size_t dimension = 1; dimension <= 70; ++dimension) dimensions.push_back(dimension);
  for (const Kind kind : test_data::kAllKinds) {
    for (const std::size_t dimension : dimensions) {
      // The longest rows once are enough where every step costs many times as much.
      if (dimension == 65536 && kind != Kind::uniform && test_search::is_emulated()) continue;
      const std::vector<float> rows = test_data::vectors(kind, 16, dimension, dimension);
      const Coded expected(rows, dimension);
      const char* compared = nullptr;
      for (const Isa isa : available_isas(detect_cpu_features())) {
        // Sets that only add ways to scan codes take them from the set below.
        const char* const symbol = kernel_table(isa)->quantize_block.symbol;
        if (symbol == compared) continue;
        compared = symbol;
        CAPTURE(symbol);
        std::vector<uint8_t> codes(CodeLayout::block_bytes(dimension), 0xaa);
        std::vector<float> scales(16), residual_norms(16), code_norms(16);
        CHECK(kernel_table(isa)->quantize_block.function(rows.data(), dimension, QuantizeTraffic{},
                                                         codes.data(), scales.data(), residual_norms.data(),
                                                         code_norms.data()) == expected.in_range);
        if (!expected.in_range) continue;
        REQUIRE(codes == expected.codes);
        REQUIRE(scales == expected.scales);
        REQUIRE(residual_norms == expected.residual_norms);
        REQUIRE(code_norms == expected.code_norms);
        // With copies past the caches.
        AlignedBuffer<float> copy(rows.size());
        AlignedBuffer<uint8_t> streamed(codes.size());
        kernel_table(isa)->quantize_block(rows.data(), dimension,
                                          QuantizeTraffic{rows.data(), copy.data(), true}, streamed.data(),
                                          scales.data(), residual_norms.data(), code_norms.data());
        REQUIRE(std::memcmp(copy.data(), rows.data(), rows.size() * sizeof(float)) == 0);
        REQUIRE(std::equal(codes.begin(), codes.end(), streamed.data()));
        REQUIRE(residual_norms == expected.residual_norms);
      }
    }
  }
}

TEST_CASE("scales beyond the range of the float32 bounds are refused") {
  CHECK_FALSE(Coded(std::vector<float>(16 * 4, 1e30f), 4).in_range);
  CHECK_FALSE(Coded(std::vector<float>(16 * 4, 1e-30f), 4).in_range);
  CHECK(Coded(std::vector<float>(16 * 4, 0.0f), 4).in_range);
  CHECK(Coded(std::vector<float>(16 * 4, 1.0f), 4).in_range);
}

namespace {

struct ScanInput {
  std::vector<int8_t> codes;
  std::vector<CodeQuery> queries;
  std::vector<float> thresholds;
};

/// Queries of one plane or two with plausible factors; thresholds that keep all rows, some, none.
ScanInput scan_input(Kind kind, std::size_t dimension, std::size_t count, bool two_planes,
                     const Coded& coded) {
  test_data::Random random(count);
  const std::size_t padded = CodeLayout::groups(dimension) * 4;
  const std::vector<float> y = test_data::vectors(kind, count, dimension, 77);
  ScanInput out;
  out.codes.resize(count * padded * (two_planes ? 2 : 1));
  for (std::size_t q = 0; q < count; ++q) {
    CodeQuery query{};
    if (two_planes) {
      const TwoPlaneCodes c = quantize_query_two_planes(
          &y[q * dimension], dimension, &out.codes[q * 2 * padded], &out.codes[(q * 2 + 1) * padded]);
      query = {128 * c.code_sum,      c.scale,     0.001f, 0.9f, 1e-6f, -0.25f, 0.001f,
               128 * c.fine_code_sum, c.fine_scale};
    } else {
      const QueryCodes c = quantize_query(&y[q * dimension], dimension, &out.codes[q * padded]);
      query = {128 * c.code_sum, c.scale, 0.01f, 0.9f + 0.1f * random.uniform(), 1e-6f, -0.25f, 0.001f};
    }
    if (q % 7 == 6) query.scale = query.fine_scale = 0;
    out.queries.push_back(query);
    const float typical = query.scale * coded.scales[q % coded.scales.size()] * 2000.0f;
    out.thresholds.push_back(q % 5 == 0   ? -std::numeric_limits<float>::infinity()
                             : q % 5 == 4 ? std::numeric_limits<float>::infinity()
                                          : typical * random.uniform());
  }
  return out;
}

/// Survivors of a scan, in order of queries and rows.
std::vector<CodeSurvivor> survivors_of(const Kernel<CodeScan>& scan, const CodeBlocks& blocks,
                                       std::size_t block_count, const ScanInput& input) {
  std::vector<CodeSurvivor> out(input.queries.size() * block_count * 16);
  out.resize(scan(blocks, block_count, input.codes.data(), input.queries.data(), input.queries.size(),
                  input.thresholds.data(), out.data()));
  std::stable_sort(out.begin(), out.end(),
                   [](const CodeSurvivor& a, const CodeSurvivor& b) { return a.query < b.query; });
  return out;
}

}  // namespace

TEST_CASE("every instruction set finds the same survivors with the same bounds") {
  test_data::Random random(9);
  const KernelTable& scalar = *kernel_table(Isa::scalar);
  for (const Kind kind : {Kind::uniform, Kind::few_values, Kind::zeros, Kind::one_huge_dimension}) {
    for (const std::size_t dimension : {1u, 3u, 7u, 33u, 130u}) {
      for (const std::size_t blocks : {1u, 2u, 3u, 7u, 50u}) {
        std::vector<float> rows = test_data::vectors(kind, blocks * 16, dimension, blocks);
        // A few rows of zeros among the others.
        for (std::size_t row = 5; row < blocks * 16; row += 37)
          std::fill_n(rows.begin() + static_cast<std::ptrdiff_t>(row * dimension), dimension, 0.0f);
        const Coded coded(rows, dimension);
        if (!coded.in_range) continue;
        std::vector<float> biases(blocks * 16);
        for (float& bias : biases) bias = random.uniform() * coded.scales[0];
        for (const std::size_t query_count : {1u, 2u, 3u, 5u, 8u, 11u, 16u, 23u, 300u}) {
          for (const bool two_planes : {false, true}) {
            if (query_count > 3 && (two_planes || (query_count == 300) != (dimension == 3))) continue;
            const ScanInput input = scan_input(kind, dimension, query_count, two_planes, coded);
            for (const bool biased : {false, true}) {
              const CodeBlocks view{coded.codes.data(),
                                    coded.scales.data(),
                                    coded.residual_norms.data(),
                                    coded.code_norms.data(),
                                    biased ? biases.data() : nullptr,
                                    CodeLayout::groups(dimension)};
              const auto expected = survivors_of(two_planes ? scalar.code_scan_two_planes : scalar.code_scan,
                                                 view, blocks, input);
              CHECK(expected.size() >= blocks * 16);
              for (const KernelTable& table : test_kernels::tables()) {
                const auto& scan = two_planes ? table.code_scan_two_planes : table.code_scan;
                CAPTURE(std::string(scan.symbol));
                const auto found = survivors_of(scan, view, blocks, input);
                REQUIRE(found.size() == expected.size());
                bool equal = true;
                for (std::size_t i = 0; i < found.size(); ++i) {
                  equal = equal && found[i].query == expected[i].query && found[i].row == expected[i].row &&
                          oracle::bits(found[i].lower) == oracle::bits(expected[i].lower) &&
                          oracle::bits(found[i].upper) == oracle::bits(expected[i].upper);
                }
                REQUIRE(equal);
              }
            }
          }
        }
      }
    }
  }
}

TEST_CASE("a certified search leaves out nearly all rows and says so") {
  constexpr std::size_t kRows = 20000;
  constexpr std::size_t kDimension = 128;
  const std::vector<float> x =
      oracle::normalised(test_data::vectors(Kind::uniform, kRows, kDimension, 1), kDimension);
  const std::vector<float> y =
      oracle::normalised(test_data::vectors(Kind::uniform, 9, kDimension, 2), kDimension);
  std::vector<std::vector<uint32_t>> rescored;
  for (const Isa isa : test_search::search_isas()) {
    for (const unsigned threads : {1u, 3u}) {
      SegmentStore store(test_search::engine_for(isa, threads),
                         {kDimension, Metric::inner_product, Dtype::f32, false, true});
      uint64_t first = 0;
      REQUIRE(store.add({x.data(), kRows, nullptr, kRows}, threads, CancelFlag(), &first).ok());
      SearchOptions options;
      options.k = 10;
      options.threads = threads;
      test_search::Result result(9, 9, 10);
      REQUIRE(test_search::search(store, y, nullptr, options, result.hits(false)).ok());
      for (std::size_t q = 0; q < 9; ++q) {
        CHECK(result.rows_rescored[q] >= 10);
        CHECK(result.rows_rescored[q] < 100);
        // The threshold certifies: the k-th score reaches it.
        CHECK(result.thresholds[q] <= result.scores[q * 10 + 9]);
        CHECK(result.thresholds[q] > result.scores[q * 10 + 9] - 0.05f);
      }
      rescored.push_back(result.rows_rescored);
    }
  }
  for (const auto& counts : rescored) CHECK(counts == rescored.front());
}

TEST_CASE("where codes cannot tell rows apart, the plain scan answers") {
  constexpr std::size_t kRows = 60000;
  SegmentStore store(test_search::engine_for(Isa::scalar, 2),
                     {4, Metric::inner_product, Dtype::f32, false, true});
  const std::vector<float> x(kRows * 4, 0.5f);
  uint64_t first = 0;
  REQUIRE(store.add({x.data(), kRows, nullptr, kRows}, 2, CancelFlag(), &first).ok());
  SearchOptions options;
  options.k = 3;
  options.threads = 2;
  test_search::Result result(1, 1, 3);
  REQUIRE(test_search::search(store, {1, 1, 1, 1}, nullptr, options, result.hits(false)).ok());
  CHECK(result.rows == std::vector<uint32_t>{0, 1, 2});
  CHECK(result.rows_rescored[0] == kRows);
}
