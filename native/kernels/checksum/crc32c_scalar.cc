#include "kernels/checksum/checksum.h"
#include "kernels/checksum/crc32c_polynomial.h"

namespace granule {
namespace {

constexpr std::size_t kSlices = 8;

/// entry[s][byte]: the checksum's change by `byte` when s more bytes follow it.
struct SliceTable {
  uint32_t entry[kSlices][256];
};

consteval SliceTable slice_table() {
  SliceTable table = {};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) remainder = crc32c_times_x(remainder);
    table.entry[0][byte] = remainder;
  }
  for (std::size_t s = 1; s < kSlices; ++s) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = table.entry[s - 1][byte];
      table.entry[s][byte] = (before >> 8) ^ table.entry[0][before & 0xffu];
    }
  }
  return table;
}

constexpr SliceTable kTable = slice_table();

}  // namespace

uint32_t crc32c_scalar(uint32_t crc, const void* data, std::size_t bytes) {
  const auto* next = static_cast<const uint8_t*>(data);
  uint32_t state = ~crc;
  for (; bytes >= kSlices; bytes -= kSlices, next += kSlices) {
    const uint32_t first =
        state ^ (static_cast<uint32_t>(next[0]) | static_cast<uint32_t>(next[1]) << 8 |
                 static_cast<uint32_t>(next[2]) << 16 | static_cast<uint32_t>(next[3]) << 24);
    state = kTable.entry[7][first & 0xffu] ^ kTable.entry[6][(first >> 8) & 0xffu] ^
            kTable.entry[5][(first >> 16) & 0xffu] ^ kTable.entry[4][first >> 24] ^ kTable.entry[3][next[4]] ^
            kTable.entry[2][next[5]] ^ kTable.entry[1][next[6]] ^ kTable.entry[0][next[7]];
  }
  for (; bytes > 0; --bytes, ++next) state = (state >> 8) ^ kTable.entry[0][(state ^ *next) & 0xffu];
  return ~state;
}

uint32_t crc32c_combine(uint32_t crc_a, uint32_t crc_b, uint64_t bytes_b) {
  return crc32c_multiply(crc_a, crc32c_power(bytes_b)) ^ crc_b;
}

}  // namespace granule
