#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "backends/coded_queries.h"
#include "backends/cpu/cpu_backend.h"
#include "core/aligned_buffer.h"
#include "kernels/code_maxsim/code_maxsim.h"

namespace granule {

/// Upper bounds of the similarities of the query vectors of one or more queries with all coded vectors of a
/// few documents.
///
/// A bound of code_maxsim, t, is in a unit of its query vector's own; similarity_bound() turns it into a
/// float32 that no rounded similarity exceeds. That holds because the factors of CodedQueries leave room for
/// 16 float32 roundings of each magnitude, and here are fewer: of the integer's conversion, its product with
/// the row's scale, the sum with the margin and the last rounding; of the margin's two products and its sum.
/// A group's factors are the greatest of its query vectors', so each of them gets at least its own margin.
class DocumentBounds {
 public:
  /// @param first_vector the first of the query vectors, all usable, among `queries`
  DocumentBounds(const CpuBackend& backend, const granule_search& search, const CodedQueries& queries,
                 std::size_t first_vector, std::size_t vector_count);

  /// Takes as many other query vectors, of as many dimensions, all usable. Bounds computed so far become
  /// undefined; their memory is used again.
  void set_queries(const CodedQueries& queries, std::size_t first_vector);

  /// Bounds documents `begin` up to `end` of a segment.
  void compute(const granule_segment& segment, std::size_t begin, std::size_t end);

  const granule_segment& segment() const { return *segment_; }

  /// The greatest bound of a document's coded vectors; -infinity where there are none. Here and below
  /// `vector` counts the query vectors, and `document` those of the segment.
  float greatest(std::size_t document, std::size_t vector) const {
    return maxima_[(document - first_document_) * vector_count_ + vector];
  }

  /// The document's vectors with a bound of at least `limit`, numbered within the document, ascending.
  ///
  /// @param positions room for all of the document's
  /// @return how many there are
  std::size_t select(std::size_t document, std::size_t vector, float limit, uint32_t* positions) const;

  /// As select(), where the query vector moves and the limit with it: the vectors with
  ///
  ///     s bound + a t slope >= limit + a limit_slope      for an a from `nearest` to `farthest`
  ///
  /// s and t being the units of the two, in float32: off by less than 8 roundings of the greatest of these
  /// numbers. Of similarities that are products.
  ///
  /// @param slopes what the bounds change by; of as many query vectors and the same documents
  /// @param nearest at least 0
  std::size_t select_along(std::size_t document, std::size_t vector, const DocumentBounds& slopes,
                           double nearest, double farthest, double limit, double limit_slope,
                           uint32_t* positions) const;

  float bound(std::size_t document, std::size_t vector, uint32_t position) const {
    return uppers_[vector * stride_ + (segment_->row_offsets[document] - first_row_) + position];
  }

  /// By how much, in the unit of the bounds, that bound may exceed what the codes themselves give; the true
  /// value may lie as much below that.
  float margin(std::size_t document, std::size_t vector, uint32_t position) const;

  /// What separates similarities whose bounds are so far apart.
  float similarity_difference(std::size_t vector, float difference) const {
    return static_cast<float>(units_[vector].scale) * difference;
  }

  /// No similarity of a row with this bound exceeds it once it is rounded to float32. Monotone.
  float similarity_bound(std::size_t vector, float bound) const {
    const Unit& unit = units_[vector];
    return static_cast<float>(unit.scale * static_cast<double>(bound) + unit.offset);
  }

  /// Rows with a bound below this have similarities below `similarity`, rounded.
  float bound_of_rivals(std::size_t vector, float similarity) const;

  /// Whether the query vector is zero and similarities are products: then all are zeros.
  bool is_constant(std::size_t vector) const { return units_[vector].scale == 0; }

 private:
  /// similarity <= scale * bound + offset
  struct Unit {
    double scale;
    double offset;
    /// Room for the roundings of a comparison, at a similarity of 0.
    double room;
  };

  void divide(std::size_t begin, std::size_t end);

  const CpuBackend& backend_;
  const std::size_t dimension_;
  const std::size_t vector_count_;
  const bool biased_;
  const int8_t* codes_ = nullptr;
  std::size_t code_bytes_ = 0;
  std::vector<int32_t> starts_;
  std::vector<float> scales_;
  std::vector<Unit> units_;
  /// One per CodeMaxsimQueries::kMost query vectors.
  std::vector<CodeMaxsimQueries> groups_;

  const granule_segment* segment_ = nullptr;
  std::size_t first_document_ = 0;
  /// The first row of the first block; rows below are counted from it.
  std::size_t first_row_ = 0;
  /// [query vector * stride + row]
  AlignedBuffer<float> uppers_;
  std::size_t stride_ = 0;
  /// Where spans begin, and the end of the last. A document's coded vectors are one or more spans.
  std::vector<uint32_t> spans_;
  /// [document]: its first span; with the number of spans behind the last.
  std::vector<uint32_t> first_spans_;
  /// [span * query vectors + query vector]
  std::vector<float> span_maxima_;
  /// [document * query vectors + query vector]
  std::vector<float> maxima_;
};

}  // namespace granule
