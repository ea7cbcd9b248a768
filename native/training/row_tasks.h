#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "index/prepared_vectors.h"
#include "training/matrix_product.h"

namespace granule {

/// Calls body(first, end) for runs of rows that together are all `rows`, each once, on the workers' threads;
/// a little work stays on this one. Runs that begin after a cancellation are left out.
///
/// @param width numbers per row
template <typename Body>
void for_row_runs(const MatrixWorkers& workers, std::size_t rows, std::size_t width, const Body& body) {
  constexpr std::size_t kRun = 64;
  constexpr std::size_t kWorthThreads = std::size_t{1} << 16;
  const unsigned threads = rows * width < kWorthThreads ? 1 : workers.threads;
  workers.pool.parallel_for((rows + kRun - 1) / kRun, threads, [&](std::size_t run) {
    if (!workers.cancel.cancelled()) body(run * kRun, std::min(rows, (run + 1) * kRun));
  });
}

/// Whether all are finite, without a branch per number: the exponent of a NaN or an infinity is all ones.
inline bool all_finite(const float* values, std::size_t count) {
  constexpr uint32_t kExponent = 0x7f800000u;
  uint32_t any = 0;
  for (std::size_t i = 0; i < count; ++i) {
    uint32_t bits;
    std::memcpy(&bits, values + i, sizeof bits);
    any |= (bits & kExponent) == kExponent ? 1u : 0u;
  }
  return any == 0;
}

/// Tells `first_bad` of the first number of a row that is not finite.
///
/// @param row its number in the caller's data
inline void check_finite_row(const float* values, std::size_t width, std::size_t row,
                             FirstNotFinite* first_bad) {
  if (all_finite(values, width)) return;
  const float* bad = std::find_if(values, values + width, [](float value) { return !all_finite(&value, 1); });
  first_bad->report(row, static_cast<uint64_t>(bad - values), *bad);
}

}  // namespace granule
