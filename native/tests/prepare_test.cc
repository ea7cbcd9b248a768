// What becomes of vectors before they are kept, on every instruction set, bit for bit.

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "core/aligned_buffer.h"
#include "kernels/kernel_table.h"
#include "tests/oracle.h"
#include "tests/test_data.h"

using namespace granule;
using test_data::Kind;

namespace {

bool same_bits(const float* a, const float* b, std::size_t count) {
  return std::memcmp(a, b, count * sizeof *a) == 0;
}

}  // namespace

TEST_CASE("a copy holds what was given, and says whether all of it is finite") {
  const std::vector<uint32_t> not_finite = {0x7f800000u, 0xff800000u, 0x7f800001u, 0xffffffffu, 0x7fc00000u};
  for (const Isa isa : available_isas(detect_cpu_features())) {
    CAPTURE(isa_name(isa));
    const KernelTable& table = *kernel_table(isa);
    for (std::size_t count = 0; count < 70; ++count) {
      std::vector<float> in = test_data::vectors(Kind::uniform, 1, count + 1, count);
      // The largest and the smallest numbers are finite.
      in[count / 2] = std::numeric_limits<float>::max();
      in[count / 3] = -std::numeric_limits<float>::denorm_min();
      std::vector<float> out(count + 1, 7.0f);
      REQUIRE(table.copy_finite(in.data(), count, out.data()));
      REQUIRE(same_bits(in.data(), out.data(), count));
      REQUIRE(out[count] == 7.0f);
      for (std::size_t at = 0; at < count; ++at) {
        const float kept = in[at];
        in[at] = std::bit_cast<float>(not_finite[at % not_finite.size()]);
        REQUIRE_FALSE(table.copy_finite(in.data(), count, out.data()));
        REQUIRE(same_bits(in.data(), out.data(), count));
        in[at] = kept;
      }
      // What lies behind is not looked at.
      in[count] = std::numeric_limits<float>::quiet_NaN();
      REQUIRE(table.copy_finite(in.data(), count, out.data()));
    }
  }
}

TEST_CASE("squared norms and quotients have the reference's bits") {
  for (const Isa isa : available_isas(detect_cpu_features())) {
    CAPTURE(isa_name(isa));
    const KernelTable& table = *kernel_table(isa);
    for (const Kind kind : test_data::kAllKinds) {
      for (std::size_t dimension = 1; dimension < 70; ++dimension) {
        std::vector<float> vector = test_data::vectors(kind, 2, dimension, dimension);
        const double squared = oracle::dot(vector.data(), vector.data(), dimension);
        REQUIRE(std::bit_cast<uint64_t>(table.squared_norm(vector.data(), dimension)) ==
                std::bit_cast<uint64_t>(squared));
        for (const double divisor : {std::sqrt(squared) + 1e-30, 3.0, 0x1p-30}) {
          std::vector<float> divided = vector;
          table.divide(divided.data(), dimension, divisor);
          for (std::size_t i = 0; i < 2 * dimension; ++i) {
            const float expected =
                i < dimension ? static_cast<float>(static_cast<double>(vector[i]) / divisor) : vector[i];
            REQUIRE(std::bit_cast<uint32_t>(divided[i]) == std::bit_cast<uint32_t>(expected));
          }
        }
      }
    }
  }
}

TEST_CASE("a copy past the caches is a copy, of any length") {
  for (const Isa isa : available_isas(detect_cpu_features())) {
    CAPTURE(isa_name(isa));
    for (std::size_t bytes = 0; bytes < 300; ++bytes) {
      std::vector<uint8_t> in(bytes + 1);
      for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<uint8_t>(i * 7 + bytes);
      AlignedBuffer<uint8_t> out(bytes + 1);
      out[bytes] = 99;
      kernel_table(isa)->stream_copy(in.data() + 1, bytes, out.data());
      REQUIRE(std::memcmp(in.data() + 1, out.data(), bytes) == 0);
      REQUIRE(out[bytes] == 99);
    }
  }
}
