#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/aligned_buffer.h"
#include "core/code_layout.h"
#include "core/score.h"
#include "kernels/code_scan/code_scan.h"

namespace granule {

/// int8 codes of query vectors, and the factors of their intervals.
///
/// With q = qhat + r and x = xhat + e: <q,x> = <qhat,xhat> + <r,xhat> + <q,e>, so the error of the integer
/// product is at most |r| |xhat| + |q| |e|. The factors also cover the roundings of the interval itself and
/// those of the float64 reference (below 2^-30 of |q| |x| for any allowed dimension).
struct CodedQueries {
  CodedQueries(const float* vectors, std::size_t count, std::size_t dimension, Metric metric);

  const int8_t* codes_of(std::size_t query) const { return codes.data() + query * code_bytes; }

  std::size_t code_bytes;
  AlignedBuffer<int8_t> codes;
  std::vector<CodeQuery> queries;
  /// Whether the bounds hold for a query; not where its numbers are too large or too small.
  std::vector<char> usable;
};

}  // namespace granule
