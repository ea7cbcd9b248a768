#pragma once

#include <cstdint>
#include <vector>

#include "core/status.h"

namespace granule {

/// Bitsets of the rows that were not removed: bit r & 7 of byte r >> 3 stands for row r.

/// The bitset of live rows, grown from `old_rows` to `row_count` rows; new ones are live.
std::vector<uint8_t> grown_live_rows(const std::vector<uint8_t>& live, uint64_t old_rows, uint64_t row_count);

/// Takes rows out of a bitset.
///
/// @param rows in any order; repeats and rows that are removed already count once
/// @param removed receives how many were live and are not now
/// @return row_not_found with the number of a row that never was
Status remove_live_rows(const uint32_t* rows, std::size_t count, uint64_t row_count,
                        std::vector<uint8_t>* live, uint64_t* removed);

/// Takes the rows out of a bitset that another one of the same size names.
///
/// @return how many were live and are not now
uint64_t remove_named_rows(const uint8_t* removed, std::vector<uint8_t>* live);

/// The bitset of the rows that were removed.
///
/// @param live null where none was
/// @param out ceil(row_count / 8) bytes
void copy_removed_rows(const std::vector<uint8_t>* live, uint64_t row_count, uint8_t* out);

}  // namespace granule
