#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "backends/backend.h"
#include "backends/coded_queries.h"
#include "backends/cpu/cpu_backend.h"
#include "backends/cpu/document_bounds.h"
#include "refinement/coded_documents.h"

namespace granule {

/// A few query vectors, which somebody else moves.
struct QueryVectors {
  std::size_t count;
  /// count x dimension
  const float* values;
  /// The same, as InnerProductTile wants them: count x stride.
  const double* widened;
  std::size_t stride;
};

/// For every query vector z_i and document d the row that matches it best,
///
///     a(i, d) = argmax_j s(z_i, x_j)      s: the reference similarity; the lowest row wins a tie
///
/// while the query vectors move. Nothing is approximated, but few similarities are computed:
///
/// - At times, the int8 codes give an upper bound u_j of every row's similarity (DocumentBounds), where the
///   query vector then is: its anchor.
/// - When it has come a way of w since then, a row's similarity is at most u_j + w |x_j|, for
///   | <z',x> - <z,x> | <= |z' - z| |x|. One that was compared at w0 and was s then is at most
///   s + (w - w0) |x_j|.
/// - Only rows whose bound reaches the best similarity of the moment are compared again.
///
/// With X >= |x_j| in a document, a row has the key u_j or s - w0 X, and the test is key + w X >= best. Fewer
/// than 8 roundings of at most 2^-24 (|z| + w) X are in it; it allows for 2^-20 of that, and for 2^-120 where
/// numbers are denormal.
class BestMatches {
 public:
  /// @param documents coded; it, `backend` and `vectors` must outlive this
  BestMatches(const CpuBackend& backend, const CodedDocuments& documents, const QueryVectors& vectors);

  /// Query vector i was moved so far.
  void moved(std::size_t i, double distance) {
    ways_[i] += distance;
    last_distances_[i] = distance;
  }

  /// Finds the best matches of the query vectors as they are now.
  void find();

  std::size_t vectors() const { return vectors_.count; }
  float similarity(std::size_t i, std::size_t document) const { return place(i, document).best; }
  uint64_t row(std::size_t i, std::size_t document) const { return place(i, document).row; }
  /// Similarities that were computed so far; not those of codes.
  uint64_t comparisons() const { return comparisons_; }

 private:
  /// A row that may match best, numbered within its document.
  struct Rival {
    uint32_t position;
    float key;
  };

  /// A query vector and a document.
  struct Place {
    float best = 0;
    /// Every row whose key reaches it is among the rivals.
    float floor = 0;
    uint64_t row = 0;
    /// Ascending positions.
    std::vector<Rival> rivals;
  };

  const Place& place(std::size_t i, std::size_t d) const { return places_[i * documents_.count() + d]; }
  void drop_anchor();
  void find_in(std::size_t i, std::size_t d, double norm);
  void list_rivals(std::size_t i, std::size_t d, float floor);
  float similarity_with(std::size_t i, uint64_t row);

  const CpuBackend& backend_;
  const CodedDocuments& documents_;
  const QueryVectors vectors_;
  const granule_segment segment_;
  granule_search search_{};
  /// Of the anchors; none before the first and where codes do not serve.
  std::optional<CodedQueries> codes_;
  std::optional<DocumentBounds> bounds_;
  bool anchored_ = false;
  std::vector<Place> places_;
  /// Per query vector, how far it has come since its anchor, and the last step of that.
  std::vector<double> ways_;
  std::vector<double> last_distances_;
  uint64_t comparisons_ = 0;
  /// Since the anchors, without those that every step needs.
  uint64_t rivals_compared_ = 0;
  std::vector<uint32_t> positions_;
  std::vector<Rival> merged_;
  std::vector<Rival*> pending_;
  std::vector<float> similarities_;
};

}  // namespace granule
