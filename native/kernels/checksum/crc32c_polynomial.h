#pragma once

#include <cstddef>
#include <cstdint>

namespace granule {

// Polynomials over GF(2) modulo Castagnoli's, reflected: bit 31 - i is the coefficient of x^i. The functions
// that build tables are consteval, so that a file compiled for some instruction set leaves no code of them
// behind.

inline constexpr uint32_t kCrc32cPolynomial = 0x82f63b78u;
inline constexpr uint32_t kCrc32cOne = 0x80000000u;

/// p x
constexpr uint32_t crc32c_times_x(uint32_t p) { return (p >> 1) ^ ((p & 1u) != 0 ? kCrc32cPolynomial : 0u); }

/// a b
constexpr uint32_t crc32c_multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (uint32_t bit = kCrc32cOne; bit != 0; bit >>= 1) {
    if ((a & bit) != 0) product ^= b;
    b = crc32c_times_x(b);
  }
  return product;
}

/// x^(8 bytes): what a checksum is multiplied by when that many zero bytes follow.
constexpr uint32_t crc32c_power(uint64_t bytes) {
  uint32_t power = kCrc32cOne;
  uint32_t square = kCrc32cOne >> 8;
  for (; bytes != 0; bytes >>= 1) {
    if ((bytes & 1u) != 0) power = crc32c_multiply(power, square);
    square = crc32c_multiply(square, square);
  }
  return power;
}

/// The product with a fixed polynomial as four lookups, one per byte of the argument.
struct Crc32cProductTable {
  uint32_t entry[4][256];
};

consteval Crc32cProductTable crc32c_product_table(uint32_t factor) {
  Crc32cProductTable table = {};
  for (int byte = 0; byte < 4; ++byte) {
    for (uint32_t bit = 1; bit < 256; bit *= 2) {
      const uint32_t product = crc32c_multiply(bit << (8 * byte), factor);
      for (uint32_t below = 0; below < bit; ++below) {
        table.entry[byte][bit + below] = table.entry[byte][below] ^ product;
      }
    }
  }
  return table;
}

}  // namespace granule
