#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "backends/cpu/cpu_backend.h"
#include "backends/cpu/document_bounds.h"
#include "backends/cpu/maxsim_scorer.h"
#include "backends/cpu/widened_queries.h"
#include "core/aligned_buffer.h"

namespace granule {

/// Documents that may be among a query's best, with what their scores are found from once the bounds of their
/// vectors are gone: for each query vector its rivals, the document's vectors that may match it best.
class Shortlist {
 public:
  struct Document {
    const granule_segment* segment;
    uint32_t index;
    /// No less than the score.
    float upper;
    /// About the score; nothing rests on it.
    float estimate;
    /// Whether there are so many rivals that all of the document is better scored in full.
    bool full;
    /// Of the document's first query vector.
    uint32_t first_match;
  };
  struct Match {
    /// No less than the best similarity.
    float upper;
    /// Vectors with a smaller bound are not among the rivals.
    float limit;
    /// Of the first rival: about so far below its bound lies its similarity.
    float margin;
    /// The one with the greatest bound comes first.
    uint32_t first_rival;
    uint32_t rival_count;
  };
  struct Rival {
    uint32_t position;
    float bound;
  };

  /// Moves the last document of another list to the end of this one.
  void append_last_of(Shortlist* other) {
    Document document = other->documents.back();
    const std::size_t first_match = document.first_match;
    document.first_match = static_cast<uint32_t>(matches.size());
    for (std::size_t i = first_match; i < other->matches.size(); ++i) {
      Match match = other->matches[i];
      const auto first = other->rivals.begin() + match.first_rival;
      match.first_rival = static_cast<uint32_t>(rivals.size());
      rivals.insert(rivals.end(), first, first + match.rival_count);
      matches.push_back(match);
    }
    documents.push_back(document);
    if (first_match < other->matches.size()) other->rivals.resize(other->matches[first_match].first_rival);
    other->matches.resize(first_match);
    other->documents.pop_back();
  }

  void clear() {
    documents.clear();
    matches.clear();
    rivals.clear();
  }

  std::vector<Document> documents;
  std::vector<Match> matches;
  std::vector<Rival> rivals;
};

/// Reference scores of documents from a few exact similarities.
///
/// Take a query vector and the similarity e of any of the document's vectors with it. A vector whose bound is
/// below e has a smaller similarity, also after rounding to float32: it is neither the greatest nor a tie of
/// it. So the greatest, and the first vector that has it, are found among the few whose bound reaches e, and
/// the sum over the query vectors, in order, has the reference's bits.
class DocumentRefiner {
 public:
  /// One query.
  /// @param queries all query vectors of the search
  /// @param first_vector the query's first vector among them
  /// @param first_bound the same among the vectors of `bounds`, which must outlive this
  DocumentRefiner(const CpuBackend& backend, const granule_search& search, const WidenedQueries& queries,
                  std::size_t first_vector, std::size_t vector_count, const DocumentBounds& bounds,
                  std::size_t first_bound);

  /// An upper bound of the score of a document that `bounds` holds.
  ///
  /// @throws DamagedFile, as the others do
  float upper(std::size_t document);

  /// Appends a document whose upper bound was found last.
  void shortlist(std::size_t document, float upper, Shortlist* list);

  /// Asks for the stored vectors that scoring a shortlisted document will look at first.
  void fetch(const Shortlist& list, const Shortlist::Document& document) const;

  /// Scores a shortlisted document; leaves the maxima in best() and best_vector().
  /// @param threshold once the score is surely below this, the rest is left undone
  /// @return false in that case
  bool score(const Shortlist& list, const Shortlist::Document& document, float threshold, float* score);

  const std::vector<float>& best() const { return best_; }
  const std::vector<uint32_t>& best_vector() const { return best_vector_; }

 private:
  float add_rivals(std::size_t document, std::size_t vector, float likely_margin, Shortlist* list);
  void fetch(const Shortlist& list, const Shortlist::Document& document, std::size_t vector) const;
  bool match(const Shortlist& list, const Shortlist::Document& document, std::size_t vector);
  float score_in_full(const Shortlist::Document& document);
  void start(const granule_segment& segment, std::size_t document);
  void take(const granule_segment& segment, std::size_t document, std::size_t vector, uint32_t position);

  const CpuBackend& backend_;
  const granule_search& search_;
  const WidenedQueries& queries_;
  const std::size_t first_vector_;
  const DocumentBounds& bounds_;
  const std::size_t first_bound_;
  MaxsimScorer scorer_;
  std::vector<float> best_;
  std::vector<uint32_t> best_vector_;
  std::vector<float> uppers_;
  /// Sums of the upper bounds from each query vector to the last, and the bias.
  std::vector<double> rest_;
  std::vector<uint32_t> positions_;
  AlignedBuffer<float> scratch_;
};

}  // namespace granule
