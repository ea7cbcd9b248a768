#include "backends/cpu/scan_units.h"

#include <algorithm>

#include "core/code_layout.h"

namespace granule {
namespace {

/// Bytes of codes, and products of codes, of one task: a few milliseconds, so that searches can share
/// threads.
constexpr std::size_t kTaskBytes = std::size_t{1} << 25;
constexpr std::size_t kTaskProducts = std::size_t{1} << 30;
/// No task is shorter than this many bytes of codes for the sake of having one for every thread.
constexpr std::size_t kLeastTaskBytes = std::size_t{1} << 18;

void divide_rows(const granule_segment& segment, std::size_t begin, std::size_t end, bool coded,
                 std::size_t rows_per_unit, std::vector<ScanUnit>* units) {
  for (; begin < end; begin += rows_per_unit)
    units->push_back({&segment, begin, std::min(end, begin + rows_per_unit), coded});
}

}  // namespace

std::vector<ScanUnit> divide_into_units(const granule_search& search, std::size_t queries) {
  const std::size_t row_bytes = CodeLayout::block_bytes(search.dimension) / CodeLayout::kBlockRows;
  std::size_t bytes = std::min(kTaskBytes, kTaskProducts / queries);
  if (search.threads > 1) {
    const std::size_t share = search.row_count * row_bytes / (4 * std::size_t{search.threads});
    bytes = std::min(bytes, std::max(share, kLeastTaskBytes));
  }
  constexpr std::size_t kStep = CodeLayout::kBlockRows * kBlocksSideBySide;
  const std::size_t rows_per_unit = std::max<std::size_t>(1, bytes / row_bytes / kStep) * kStep;
  std::vector<ScanUnit> units;
  for (uint64_t s = 0; s < search.segment_count; ++s) {
    const granule_segment& segment = search.segments[s];
    divide_rows(segment, 0, segment.coded_vector_count, true, rows_per_unit, &units);
    divide_rows(segment, segment.coded_vector_count, segment.row_count, false, rows_per_unit, &units);
  }
  return units;
}

}  // namespace granule
