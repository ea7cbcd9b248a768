#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "backends/backend.h"
#include "backends/coded_queries.h"
#include "backends/cpu/cpu_backend.h"
#include "backends/cpu/document_bounds.h"
#include "core/aligned_buffer.h"
#include "refinement/coded_documents.h"
#include "refinement/trajectory.h"

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
/// - At times, the int8 codes bound from above every row's products with the query vector where it then is,
/// its
///   anchor, and with the direction in which it moves (DocumentBounds).
/// - When it has come further, a row's similarity is at most a combination of the two (Trajectory): v + along
/// w +
///   aside |x|. For a row that was compared since, v and w are its own products at that station, not their
///   bounds.
/// - Only rows whose bound reaches the best similarity of the moment are compared again.
///
/// With X >= |x_j| in a document, aside X stands for aside |x_j|. Fewer than 16 roundings of at most 2^-24 of
/// (|z| + along |u| + aside) X are in a comparison of a bound with a similarity; it allows for 2^-20 of that,
/// and for 2^-120 where numbers are denormal.
class BestMatches {
 public:
  /// @param documents coded; it, `backend` and `vectors` must outlive this
  BestMatches(const CpuBackend& backend, const CodedDocuments& documents, const QueryVectors& vectors);

  /// Finds the best matches of the query vectors as they are now.
  void find();

  std::size_t vectors() const { return vectors_.count; }
  float similarity(std::size_t i, std::size_t document) const { return place(i, document).best; }
  /// The best matches of query vector i, document after document.
  const float* matches(std::size_t i) const {
    return matches_.data() + i * documents_.count() * documents_.dimension();
  }
  /// Similarities that were computed so far; not those of codes.
  uint64_t comparisons() const { return comparisons_; }

 private:
  /// A row that may match best, numbered within its document, and its products, or bounds of them, with the
  /// vector and the direction of a station.
  struct Rival {
    uint32_t position;
    uint32_t station;
    float similarity;
    float slope;
  };

  /// A query vector and a document.
  struct Place {
    float best = 0;
    float former_best = 0;
    /// While the query vector is from `nearest` to `farthest` along the anchor's direction, every row whose
    /// bound, without what lies aside, reaches floor + along floor_slope is among the rivals.
    double floor = 0;
    double floor_slope = 0;
    double nearest = 0;
    double farthest = 0;
    double steps_listed;
    uint64_t row = 0;
    /// Ascending positions.
    std::vector<Rival> rivals;
  };

  /// A rival whose similarity is wanted.
  struct Pending {
    std::size_t document;
    Rival* rival;
  };

  const Place& place(std::size_t i, std::size_t d) const { return places_[i * documents_.count() + d]; }
  void drop_anchor();
  void bound_directions();
  void forget_rivals();
  void guess_matches();
  void bound(const CodedQueries& codes, std::optional<DocumentBounds>* bounds);
  void compare_former(std::size_t i);
  void match(std::size_t i, std::size_t d, uint64_t row);
  void find_pending(std::size_t i, std::size_t d);
  void compare_pending(std::size_t i);
  void list_rivals(std::size_t i, std::size_t d, double floor);
  float product(const double* widened, uint64_t row);

  const CpuBackend& backend_;
  const CodedDocuments& documents_;
  const QueryVectors vectors_;
  const granule_segment segment_;
  granule_search search_{};
  /// Copies of the best matches' vectors, [query vector][document]: all of them are looked at, at every step.
  AlignedBuffer<float> matches_;
  std::vector<double> former_similarities_;
  /// Of the anchors and of their directions; none before the first and where codes do not serve.
  std::optional<CodedQueries> codes_;
  std::optional<CodedQueries> direction_codes_;
  std::optional<DocumentBounds> bounds_;
  std::optional<DocumentBounds> direction_bounds_;
  /// Whether bounds_ bounds anything; it keeps its memory while it does not.
  bool bounded_ = false;
  bool anchored_ = false;
  /// Whether direction_bounds_ bounds the products with the anchors' directions; else those are zeros.
  bool directed_ = false;
  std::vector<Trajectory> trajectories_;
  std::vector<float> directions_;
  /// Per query vector, how much farther from the anchor the last step led.
  std::vector<Trajectory::Reach> last_steps_;
  std::vector<Place> places_;
  uint64_t comparisons_ = 0;
  /// Since the anchors, without those that every step needs.
  uint64_t rivals_compared_ = 0;
  /// What these were when the anchors were dropped: new ones would cost as many again.
  uint64_t compared_at_anchor_ = 0;
  std::vector<uint32_t> positions_;
  std::vector<Rival> merged_;
  std::vector<Pending> pending_;
};

}  // namespace granule
