#pragma once

#include <cstddef>
#include <cstdint>

namespace granule {

/// One step of MaxSim: folds similarities of one query vector with document vectors first, first + 1, ...
/// into the running maximum of that query vector:
///
///     s_j = similarities[j] rounded to float32;   if s_j > *best: *best = s_j, *best_vector = first + j, j
///     ascending
///
/// so that the first document vector wins a tie. `*best` starts at -infinity and `*best_vector` at kNoRow.
/// The similarities come from the inner product kernels; the document's score is the float64 sum, in query
/// vector order, of the maxima, rounded once (backends/cpu/maxsim_scan.cc).
using MaxsimFold = void(const double* similarities, std::size_t count, uint32_t first, float* best,
                        uint32_t* best_vector);

MaxsimFold maxsim_fold_f64_scalar;
MaxsimFold maxsim_fold_f64_avx2;
MaxsimFold maxsim_fold_f64_avx512;
MaxsimFold maxsim_fold_f64_neon;

}  // namespace granule
