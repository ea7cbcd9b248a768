#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "backends/cpu/cpu_backend.h"
#include "backends/cpu/widened_queries.h"
#include "core/aligned_buffer.h"
#include "core/score.h"

namespace granule {

/// One query's vectors and the running maxima over one document.
class MaxsimScorer {
 public:
  /// @param first_vector the query's first vector among `queries`
  MaxsimScorer(const CpuBackend& backend, const granule_search& search, const WidenedQueries& queries,
               std::size_t first_vector, std::size_t vector_count);

  /// The reference MaxSim of document `index` of `segment`, with its bias; leaves the maxima in best() and
  /// best_vector().
  ///
  /// @throws DamagedFile
  float score(const granule_segment& segment, std::size_t index);

  const std::vector<float>& best() const { return best_; }
  const std::vector<uint32_t>& best_vector() const { return best_vector_; }

 private:
  const CpuBackend& backend_;
  const granule_search& search_;
  Metric metric_;
  const WidenedQueries& queries_;
  std::size_t first_vector_;
  std::vector<float> best_;
  std::vector<uint32_t> best_vector_;
  AlignedBuffer<double> tile_;
  AlignedBuffer<float> scratch_;
};

/// The segment that holds a row.
const granule_segment& segment_of(const granule_search& search, uint64_t row);

/// Writes the matches of every query's hits, where they are wanted; unused places get kNoRow and -infinity.
void explain_hits(const CpuBackend& backend, const granule_search& search, const WidenedQueries& queries,
                  granule_hits& hits);

}  // namespace granule
