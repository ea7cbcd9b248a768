#include <doctest/doctest.h>

#include <vector>

#include "kernels/kernel_table.h"
#include "tests/test_data.h"

using namespace granule;

namespace {

/// Bit by bit, as the standard states it.
uint32_t crc32c_oracle(uint32_t crc, const uint8_t* data, std::size_t bytes) {
  crc = ~crc;
  for (std::size_t i = 0; i < bytes; ++i) {
    crc ^= data[i];
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1u) != 0 ? (crc >> 1) ^ 0x82f63b78u : crc >> 1;
  }
  return ~crc;
}

std::vector<uint8_t> random_bytes(std::size_t count) {
  test_data::Random random(count + 1);
  std::vector<uint8_t> out(count);
  for (uint8_t& byte : out) byte = static_cast<uint8_t>(random.next() >> 56);
  return out;
}

}  // namespace

TEST_CASE("the checksum has the values that RFC 3720 publishes") {
  uint8_t ascending[32], descending[32];
  for (uint8_t i = 0; i < 32; ++i) {
    ascending[i] = i;
    descending[i] = static_cast<uint8_t>(31 - i);
  }
  const std::vector<uint8_t> zeros(32, 0x00), ones(32, 0xff);
  for (const Isa isa : available_isas(detect_cpu_features())) {
    CAPTURE(isa_name(isa));
    const auto crc32c = kernel_table(isa)->crc32c;
    CHECK(crc32c(0u, "", 0u) == 0);
    CHECK(crc32c(0u, "123456789", 9u) == 0xe3069283u);
    CHECK(crc32c(0u, zeros.data(), 32u) == 0x8a9136aau);
    CHECK(crc32c(0u, ones.data(), 32u) == 0x62a8ab43u);
    CHECK(crc32c(0u, static_cast<const uint8_t*>(ascending), 32u) == 0x46dd794eu);
    CHECK(crc32c(0u, static_cast<const uint8_t*>(descending), 32u) == 0x113fdb5cu);
  }
}

TEST_CASE("every instruction set gives the checksum of any length at any alignment") {
  // Around the lengths at which a kernel changes its stride.
  std::vector<std::size_t> lengths;
  for (std::size_t i = 0; i <= 40; ++i) lengths.push_back(i);
  for (const std::size_t run : {3u * 256, 2u * 3 * 256, 3u * 4096, 3u * 4096 + 3 * 256, 2u * 3 * 4096}) {
    for (std::size_t around = run - 9; around <= run + 9; ++around) lengths.push_back(around);
  }
  const std::vector<uint8_t> data = random_bytes(lengths.back() + 8);
  for (const std::size_t length : lengths) {
    CAPTURE(length);
    for (std::size_t offset = 0; offset < 8; ++offset) {
      // A copy of its own size: the sanitizer builds catch a read beyond it.
      const std::vector<uint8_t> exact(data.begin() + static_cast<std::ptrdiff_t>(offset),
                                       data.begin() + static_cast<std::ptrdiff_t>(offset + length));
      const uint32_t expected = crc32c_oracle(0x12345678u, exact.data(), length);
      for (const Isa isa : available_isas(detect_cpu_features())) {
        const auto crc32c = kernel_table(isa)->crc32c;
        REQUIRE(crc32c(0x12345678u, data.data() + offset, length) == expected);
        REQUIRE(crc32c(0x12345678u, exact.data(), length) == expected);
      }
    }
  }
}

TEST_CASE("a checksum continues over parts, and those of parts combine to that of the whole") {
  const std::vector<uint8_t> data = random_bytes(20000);
  const uint32_t whole = crc32c_oracle(0, data.data(), data.size());
  for (const Isa isa : available_isas(detect_cpu_features())) {
    const auto crc32c = kernel_table(isa)->crc32c;
    for (std::size_t split : {0u, 1u, 7u, 8u, 255u, 4096u, 12287u, 19999u, 20000u}) {
      const uint32_t a = crc32c(0u, data.data(), split);
      const uint32_t b = crc32c(0u, data.data() + split, data.size() - split);
      REQUIRE(crc32c(a, data.data() + split, data.size() - split) == whole);
      REQUIRE(crc32c_combine(a, b, data.size() - split) == whole);
    }
  }
}

TEST_CASE("checksums combine over lengths beyond 32 bits") {
  // Zeros behind a checksum, doubled 35 times: 2^35 bytes, whose checksum is that of zeros alone.
  uint32_t zeros = crc32c_oracle(0, reinterpret_cast<const uint8_t*>("\0"), 1);
  uint32_t after = crc32c_oracle(0, reinterpret_cast<const uint8_t*>("a\0"), 2);
  for (int doubling = 0; doubling < 35; ++doubling) {
    after = crc32c_combine(after, zeros, uint64_t{1} << doubling);
    zeros = crc32c_combine(zeros, zeros, uint64_t{1} << doubling);
  }
  const uint32_t a = crc32c_oracle(0, reinterpret_cast<const uint8_t*>("a"), 1);
  CHECK(after == crc32c_combine(a, zeros, uint64_t{1} << 35));
}
