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

  /// The maxima over the document's vectors from `from` on alone.
  ///
  /// @throws DamagedFile
  void match(const granule_segment& segment, std::size_t index, std::size_t from);

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

/// The score of document `index` from the maxima of a query's `count` vectors.
float sum_of_maxima(const granule_segment& segment, std::size_t index, const float* best, std::size_t count);

/// The segment that holds a row.
const granule_segment& segment_of(const granule_search& search, uint64_t row);

/// Writes the matches of one place of a query's hits; with null pointers those of an unused place, kNoRow and
/// -infinity.
void write_matches(const granule_search& search, std::size_t query, std::size_t place, const float* best,
                   const uint32_t* best_vector, granule_hits& hits);

/// Writes the matches of every query's hits, where they are wanted.
void explain_hits(const CpuBackend& backend, const granule_search& search, const WidenedQueries& queries,
                  granule_hits& hits);

}  // namespace granule
