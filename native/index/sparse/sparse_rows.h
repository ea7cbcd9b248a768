#pragma once

#include <cstdint>
#include <vector>

#include "core/status.h"

namespace granule {

/// Rows of terms and weights as a caller gives them: row i owns lengths[i] consecutive entries, its terms
/// strictly ascending.
struct SparseRows {
  const uint32_t* lengths = nullptr;
  uint64_t row_count = 0;
  const uint32_t* terms = nullptr;
  const float* values = nullptr;
  uint64_t entry_count = 0;
};

/// Where each row's entries begin, and the end behind the last.
///
/// @return length_mismatch where the lengths do not add up to the entries
/// @throws std::bad_alloc
Status row_offsets(const SparseRows& rows, std::vector<uint64_t>* offsets);

/// Whether a term may follow `previous` in a row (kNoTerm: none), and a value stand with it.
///
/// @param positive whether values must be above 0
/// @return invalid_argument, not_finite, with the row and the term
Status check_entry(uint64_t row, int64_t previous, uint32_t term, float value, bool positive);

/// Before the first term of a row.
inline constexpr int64_t kNoTerm = -1;

}  // namespace granule
