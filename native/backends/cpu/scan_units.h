#pragma once

#include <cstddef>
#include <vector>

#include "backends/backend.h"

namespace granule {

/// Blocks of codes that a kernel takes side by side.
inline constexpr std::size_t kBlocksSideBySide = 3;

/// Consecutive rows of a segment, with or without codes: what one task of a scan passes over.
struct ScanUnit {
  const granule_segment* segment;
  std::size_t begin;
  std::size_t end;
  bool coded;
};

/// Divides the rows of a search into units of a few milliseconds each, so that searches can share threads,
/// and several for each thread where there are enough rows.
///
/// @param queries of one pass over the codes
std::vector<ScanUnit> divide_into_units(const granule_search& search, std::size_t queries);

}  // namespace granule
