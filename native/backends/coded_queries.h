#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/aligned_buffer.h"
#include "core/code_layout.h"
#include "core/score.h"
#include "kernels/code_scan/code_scan.h"

namespace granule {

/// int8 codes of query vectors, in one plane or two, and the factors of their intervals.
///
/// With q = qhat + r and x = xhat + e: <q,x> = <qhat,xhat> + <r,xhat> + <q,e>, so the error of the integer
/// product is at most |r| |xhat| + |q| |e|. The second plane makes |r| some hundred times smaller. The
/// factors also cover the roundings of the interval itself and those of the float64 reference (below 2^-30 of
/// |q| |x| for any allowed dimension).
///
/// The roundings of the interval, each of 2^-24 of what it applies to: the products I and I' as float32,
/// times their scales, their sum, times the row's scale are together fewer than 8 of (s |c| + s' |c'|)
/// |xhat|, which `norm_factor` allows; adding the bias, the shift and the width are of the bias, the shift,
/// the product and the width itself, which the shares of `kRounding` in every factor allow.
struct CodedQueries {
  CodedQueries(const float* vectors, std::size_t count, std::size_t dimension, Metric metric, int planes = 1);

  const int8_t* codes_of(std::size_t query) const { return codes.data() + query * query_bytes; }

  /// Of all planes of a query.
  std::size_t query_bytes;
  AlignedBuffer<int8_t> codes;
  std::vector<CodeQuery> queries;
  /// Whether the bounds hold for a query; not where its numbers are too large or too small.
  std::vector<char> usable;
};

}  // namespace granule
