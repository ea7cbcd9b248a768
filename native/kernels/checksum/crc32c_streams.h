#pragma once

#include "kernels/checksum/crc32c_polynomial.h"

// CRC-32C by an instruction that takes three cycles but starts one a cycle: three streams side by side,
// joined by a product with a power of x. The including file defines `crc32c_step` for eight bytes and for
// one.

namespace granule {
namespace {

inline uint64_t crc32c_step(uint64_t state, uint64_t word);
inline uint64_t crc32c_step(uint64_t state, uint8_t byte);

/// Words of each stream between two joins: long runs, and short ones for what is left.
constexpr std::size_t kLongRun = 512;
constexpr std::size_t kShortRun = 32;
constexpr Crc32cProductTable kAfterLongRun = crc32c_product_table(crc32c_power(8 * kLongRun));
constexpr Crc32cProductTable kAfterShortRun = crc32c_product_table(crc32c_power(8 * kShortRun));

inline uint64_t multiply(const Crc32cProductTable& table, uint64_t state) {
  return table.entry[0][state & 0xffu] ^ table.entry[1][(state >> 8) & 0xffu] ^
         table.entry[2][(state >> 16) & 0xffu] ^ table.entry[3][(state >> 24) & 0xffu];
}

inline uint64_t load_word(const uint8_t* bytes) {
  uint64_t word;
  __builtin_memcpy(&word, bytes, sizeof word);
  return word;
}

/// The state after as many times three runs as there are.
template <std::size_t Run>
inline uint64_t whole_runs(const Crc32cProductTable& after_run, uint64_t state, const uint8_t*& next,
                           std::size_t& bytes) {
  constexpr std::size_t kRunBytes = 8 * Run;
  for (; bytes >= 3 * kRunBytes; bytes -= 3 * kRunBytes, next += 3 * kRunBytes) {
    uint64_t second = 0;
    uint64_t third = 0;
    for (std::size_t i = 0; i < kRunBytes; i += 8) {
      state = crc32c_step(state, load_word(next + i));
      second = crc32c_step(second, load_word(next + kRunBytes + i));
      third = crc32c_step(third, load_word(next + 2 * kRunBytes + i));
    }
    state = multiply(after_run, multiply(after_run, state) ^ second) ^ third;
  }
  return state;
}

inline uint32_t crc32c_in_streams(uint32_t crc, const void* data, std::size_t bytes) {
  const auto* next = static_cast<const uint8_t*>(data);
  uint64_t state = static_cast<uint32_t>(~crc);
  state = whole_runs<kLongRun>(kAfterLongRun, state, next, bytes);
  state = whole_runs<kShortRun>(kAfterShortRun, state, next, bytes);
  for (; bytes >= 8; bytes -= 8, next += 8) state = crc32c_step(state, load_word(next));
  for (; bytes > 0; --bytes, ++next) state = crc32c_step(state, *next);
  return ~static_cast<uint32_t>(state);
}

}  // namespace
}  // namespace granule
