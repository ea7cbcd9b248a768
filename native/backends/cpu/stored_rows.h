#pragma once

#include <cstddef>
#include <stdexcept>

#include "backends/backend.h"
#include "backends/cpu/cpu_backend.h"
#include "core/dtype.h"
#include "core/score.h"
#include "kernels/stored_vectors.h"

namespace granule {

/// The file behind a segment is damaged; ends the search.
struct DamagedFile : std::runtime_error {
  DamagedFile() : std::runtime_error("a file of the index is damaged") {}
};

/// Numbers that `stored_rows` needs room for, to read `count` vectors.
inline std::size_t scratch_size(const granule_search& search, std::size_t count) {
  return static_cast<Dtype>(search.dtype) == Dtype::f32 ? 0 : count * search.dimension;
}

/// Vectors of a segment as float32, one after another.
///
/// @param scratch room for scratch_size numbers, which the result may lie in
/// @throws DamagedFile
inline const float* stored_rows(const CpuBackend& backend, const granule_search& search,
                                const granule_segment& segment, std::size_t begin, std::size_t count,
                                float* scratch) {
  if (segment.verify != nullptr && segment.verify(segment.owner, begin, count) == 0) throw DamagedFile();
  const auto dtype = static_cast<Dtype>(search.dtype);
  const auto* bytes =
      static_cast<const unsigned char*>(segment.vectors) + begin * search.dimension * bytes_of(dtype);
  return as_float32(backend.kernels, dtype, bytes, count * search.dimension, scratch);
}

/// The score of a row that is one vector, rounded once.
///
/// @param dot the reference inner product of query and row
/// @param query_squared_norm of the query, for squared L2
inline float row_score(const granule_search& search, const granule_segment& segment, std::size_t row,
                       double dot, double query_squared_norm) {
  const double row_squared_norm = segment.squared_norms != nullptr ? segment.squared_norms[row] : 0.0;
  double score = score_of(static_cast<Metric>(search.metric), dot, row_squared_norm, query_squared_norm);
  if (segment.row_biases != nullptr) score += static_cast<double>(segment.row_biases[row]);
  return static_cast<float>(score);
}

}  // namespace granule
