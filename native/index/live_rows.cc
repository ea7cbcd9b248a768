#include "index/live_rows.h"

#include <algorithm>
#include <bit>
#include <string>

namespace granule {

std::vector<uint8_t> grown_live_rows(const std::vector<uint8_t>& live, uint64_t old_rows,
                                     uint64_t row_count) {
  std::vector<uint8_t> out(live);
  out.resize((row_count + 7) / 8, 0);
  for (uint64_t row = old_rows; row < row_count; ++row) {
    if (row % 8 == 0 && row + 8 <= row_count) {
      out[row >> 3] = 0xff;
      row += 7;
    } else {
      out[row >> 3] = static_cast<uint8_t>(out[row >> 3] | (1u << (row & 7)));
    }
  }
  return out;
}

Status remove_live_rows(const uint32_t* rows, std::size_t count, uint64_t row_count,
                        std::vector<uint8_t>* live, uint64_t* removed) {
  *removed = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const uint32_t row = rows[i];
    if (row >= row_count) {
      return Status::failure(
          StatusCode::row_not_found,
          "row " + std::to_string(row) + " is not one of the " + std::to_string(row_count) + " rows",
          static_cast<int64_t>(row));
    }
    uint8_t& byte = (*live)[row >> 3];
    const auto bit = static_cast<uint8_t>(1u << (row & 7));
    if ((byte & bit) == 0) continue;
    byte = static_cast<uint8_t>(byte & ~bit);
    ++*removed;
  }
  return Status::success();
}

uint64_t remove_named_rows(const uint8_t* removed, std::vector<uint8_t>* live) {
  uint64_t count = 0;
  for (std::size_t i = 0; i < live->size(); ++i) {
    uint8_t& byte = (*live)[i];
    count += static_cast<uint64_t>(std::popcount(static_cast<uint8_t>(byte & removed[i])));
    byte = static_cast<uint8_t>(byte & ~removed[i]);
  }
  return count;
}

void copy_removed_rows(const std::vector<uint8_t>* live, uint64_t row_count, uint8_t* out) {
  for (uint64_t row = 0; row < row_count; row += 8) {
    const uint64_t rows = std::min<uint64_t>(8, row_count - row);
    const unsigned kept = live != nullptr ? (*live)[row >> 3] : 0xffu;
    out[row >> 3] = static_cast<uint8_t>(~kept & ((1u << rows) - 1));
  }
}

}  // namespace granule
