#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/code_scan/code_scan.h"

namespace granule {

/// Bounds of the similarity of each query vector's best match within one document, from codes:
///
///     lowers[i] = max_j (a_ij - w_ij),   uppers[i] = max_j (a_ij + w_ij)       (a and w as in CodeQuery)
///
/// over the document's vectors j = first ... first + count - 1, counted from the first row of `blocks`. The
/// greatest similarity of query vector i, rounded to float32, lies between them.
///
/// @param first below 16
/// @param count at least 1
/// @param codes codes of the query vectors, groups * 4 each, one after another
using CodeMaxsim = void(const CodeBlocks& blocks, std::size_t first, std::size_t count, const int8_t* codes,
                        const CodeQuery* queries, std::size_t query_count, float* lowers, float* uppers);

CodeMaxsim code_maxsim_i8_scalar;
CodeMaxsim code_maxsim_i8_avx512vnni;

}  // namespace granule
