#include "index/sparse/sparse_rows.h"

#include <cmath>
#include <string>

namespace granule {

Status row_offsets(const SparseRows& rows, std::vector<uint64_t>* offsets) {
  offsets->clear();
  offsets->reserve(rows.row_count + 1);
  uint64_t sum = 0;
  offsets->push_back(0);
  for (uint64_t row = 0; row < rows.row_count; ++row) {
    sum += rows.lengths[row];
    offsets->push_back(sum);
  }
  if (sum == rows.entry_count) return Status::success();
  return Status::failure(StatusCode::length_mismatch, "the lengths add up to " + std::to_string(sum) +
                                                          " entries, but there are " +
                                                          std::to_string(rows.entry_count));
}

Status check_entry(uint64_t row, int64_t previous, uint32_t term, float value, bool positive) {
  const auto place = [&] { return "row " + std::to_string(row) + ", term " + std::to_string(term); };
  if (term <= previous) {
    return Status::failure(StatusCode::invalid_argument,
                           place() + " does not follow term " + std::to_string(previous) +
                               ": the terms of a row must ascend, without repeats",
                           static_cast<int64_t>(row), term);
  }
  if (!std::isfinite(value)) {
    const char* name = std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
    return Status::failure(StatusCode::not_finite, place() + " has the value " + name,
                           static_cast<int64_t>(row), term);
  }
  if (positive && value <= 0) {
    return Status::failure(StatusCode::invalid_argument,
                           place() + " has a value that is not above 0, as those of a saturating index are",
                           static_cast<int64_t>(row), term);
  }
  return Status::success();
}

}  // namespace granule
