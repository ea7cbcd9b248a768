#include "backends/cpu/document_refiner.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "backends/cpu/stored_rows.h"
#include "core/ranked_list.h"
#include "core/score.h"

namespace granule {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
/// Where more than this share of a document's vectors are rivals, scoring all of it is cheaper.
constexpr std::size_t kShareOfRivals = 8;
/// Query vectors whose rivals come from memory while others are looked at.
constexpr std::size_t kFetchAhead = 8;
/// So much of a vector is fetched; the processor follows the rest of a longer one by itself.
constexpr std::size_t kBytesAhead = 1024;

inline void prefetch(const char* line) {
#if defined(__GNUC__)
  __builtin_prefetch(line);
#else
  (void)line;
#endif
}

double bias_of(const granule_segment& segment, std::size_t document) {
  return segment.row_biases != nullptr ? static_cast<double>(segment.row_biases[document]) : 0.0;
}

std::size_t coded_count(const granule_segment& segment, std::size_t document) {
  const uint64_t begin = segment.row_offsets[document];
  const uint64_t end = std::min(segment.row_offsets[document + 1], segment.coded_vector_count);
  return end > begin ? end - begin : 0;
}

}  // namespace

DocumentRefiner::DocumentRefiner(const CpuBackend& backend, const granule_search& search,
                                 const WidenedQueries& queries, std::size_t first_vector,
                                 std::size_t vector_count, const DocumentBounds& bounds,
                                 std::size_t first_bound)
    : backend_(backend),
      search_(search),
      queries_(queries),
      first_vector_(first_vector),
      bounds_(bounds),
      first_bound_(first_bound),
      scorer_(backend, search, queries, first_vector, vector_count),
      best_(vector_count),
      best_vector_(vector_count),
      uppers_(vector_count),
      rest_(vector_count + 1),
      scratch_(scratch_size(search, 1)) {}

void DocumentRefiner::start(const granule_segment& segment, std::size_t document) {
  const std::size_t coded = coded_count(segment, document);
  if (segment.row_offsets[document] + coded == segment.row_offsets[document + 1]) {
    std::fill(best_.begin(), best_.end(), -kInfinity);
    std::fill(best_vector_.begin(), best_vector_.end(), kNoRow);
    return;
  }
  // The last document of a segment, mostly: its last vectors have no codes.
  scorer_.match(segment, document, coded);
  best_ = scorer_.best();
  best_vector_ = scorer_.best_vector();
}

float DocumentRefiner::upper(std::size_t document) {
  const granule_segment& segment = bounds_.segment();
  start(segment, document);
  const bool coded = coded_count(segment, document) != 0;
  // In the order of the reference's sum, each of whose terms is at most the one here: rounding keeps the
  // order, so no room for roundings is needed.
  double sum = 0;
  for (std::size_t v = 0; v < uppers_.size(); ++v) {
    const std::size_t bound = first_bound_ + v;
    uppers_[v] = coded
                     ? std::max(best_[v], bounds_.similarity_bound(bound, bounds_.greatest(document, bound)))
                     : best_[v];
    sum += static_cast<double>(uppers_[v]);
  }
  sum += bias_of(segment, document);
  // Infinities of vectors without codes, of both signs: no bound.
  return std::isnan(sum) ? kInfinity : static_cast<float>(sum);
}

void DocumentRefiner::shortlist(std::size_t document, float upper, Shortlist* list) {
  const granule_segment& segment = bounds_.segment();
  const std::size_t coded = coded_count(segment, document);
  positions_.resize(std::max(positions_.size(), coded));
  Shortlist::Document entry{&segment,   static_cast<uint32_t>(document),
                            upper,      upper,
                            coded == 0, static_cast<uint32_t>(list->matches.size())};
  const std::size_t first_rival = list->rivals.size();
  float likely_margin = 0;
  for (std::size_t v = 0; v < uppers_.size() && !entry.full; ++v) {
    const std::size_t bound = first_bound_ + v;
    const std::size_t begin = list->rivals.size();
    list->matches.push_back({uppers_[v], -kInfinity, 0, static_cast<uint32_t>(begin), 0});
    if (bounds_.is_constant(bound)) {
      // All similarities with a zero query vector are zeros, and the first of them wins.
      list->rivals.push_back({0, 0});
    } else {
      likely_margin = add_rivals(document, v, likely_margin, list);
      entry.estimate -= bounds_.similarity_difference(bound, likely_margin);
    }
    list->matches.back().rival_count = static_cast<uint32_t>(list->rivals.size() - begin);
    entry.full = list->rivals.size() - first_rival > (v + 1) * (coded / kShareOfRivals + 8);
  }
  if (entry.full) {
    list->matches.resize(entry.first_match);
    list->rivals.resize(first_rival);
  }
  list->documents.push_back(entry);
}

/// Appends a query vector's rivals, the one with the greatest bound first.
///
/// @param likely_margin about the margin of that
/// @return its margin
float DocumentRefiner::add_rivals(std::size_t document, std::size_t vector, float likely_margin,
                                  Shortlist* list) {
  const std::size_t bound = first_bound_ + vector;
  const float greatest = bounds_.greatest(document, bound);
  const float likely_limit = greatest - 2.5f * likely_margin;
  std::size_t count = bounds_.select(document, bound, likely_limit, positions_.data());
  std::size_t first = 0;
  while (bounds_.bound(document, bound, positions_[first]) != greatest) ++first;
  const uint32_t first_position = positions_[first];
  const float margin = bounds_.margin(document, bound, first_position);
  // The lower end of its interval, and a little less.
  const float limit = greatest - 2.01f * margin;
  if (limit < likely_limit) count = bounds_.select(document, bound, limit, positions_.data());
  list->rivals.push_back({first_position, greatest});
  for (std::size_t i = 0; i < count; ++i) {
    const float rival = bounds_.bound(document, bound, positions_[i]);
    if (rival >= limit && positions_[i] != first_position) list->rivals.push_back({positions_[i], rival});
  }
  list->matches.back().limit = limit;
  list->matches.back().margin = margin;
  return margin;
}

void DocumentRefiner::fetch(const Shortlist& list, const Shortlist::Document& document) const {
  if (document.full) return;
  for (std::size_t v = 0; v < std::min(kFetchAhead, best_.size()); ++v) fetch(list, document, v);
}

void DocumentRefiner::fetch(const Shortlist& list, const Shortlist::Document& document,
                            std::size_t vector) const {
  const std::size_t bytes = search_.dimension * bytes_of(static_cast<Dtype>(search_.dtype));
  const char* vectors = static_cast<const char*>(document.segment->vectors) +
                        document.segment->row_offsets[document.index] * bytes;
  const Shortlist::Match& match = list.matches[document.first_match + vector];
  const Shortlist::Rival* rivals = list.rivals.data() + match.first_rival;
  // The best similarity lies in the middle of its interval, about.
  const float limit = rivals[0].bound - 1.125f * match.margin;
  for (std::size_t i = 0; i < match.rival_count; ++i) {
    if (rivals[i].bound < limit) continue;
    const char* stored = vectors + rivals[i].position * bytes;
    for (std::size_t at = 0; at < std::min(bytes, kBytesAhead); at += 64) prefetch(stored + at);
  }
}

bool DocumentRefiner::score(const Shortlist& list, const Shortlist::Document& document, float threshold,
                            float* score) {
  if (document.full) {
    *score = score_in_full(document);
    return true;
  }
  start(*document.segment, document.index);
  const std::size_t vectors = best_.size();
  const Shortlist::Match* matches = list.matches.data() + document.first_match;
  rest_[vectors] = bias_of(*document.segment, document.index);
  double magnitude = std::fabs(rest_[vectors]);
  for (std::size_t v = vectors; v-- > 0;) {
    rest_[v] = rest_[v + 1] + static_cast<double>(matches[v].upper);
    magnitude += std::fabs(static_cast<double>(matches[v].upper));
  }
  // Of a sum of so many terms in another order.
  const double rounding = 0x1p-50 * static_cast<double>(vectors + 2);
  double sum = 0;
  for (std::size_t v = 0; v < vectors; ++v) {
    if (v + kFetchAhead < vectors) fetch(list, document, v + kFetchAhead);
    if (!match(list, document, v)) {
      *score = score_in_full(document);
      return true;
    }
    sum += static_cast<double>(best_[v]);
    const double room = rounding * (std::fabs(sum) + magnitude);
    if (static_cast<float>(sum + rest_[v + 1] + room) < threshold) return false;
  }
  *score = sum_of_maxima(*document.segment, document.index, best_.data(), vectors);
  return true;
}

/// Finds a query vector's best match among its rivals; false where others might do better.
bool DocumentRefiner::match(const Shortlist& list, const Shortlist::Document& document, std::size_t vector) {
  const Shortlist::Match& match = list.matches[document.first_match + vector];
  const Shortlist::Rival* rivals = list.rivals.data() + match.first_rival;
  take(*document.segment, document.index, vector, rivals[0].position);
  if (bounds_.is_constant(first_bound_ + vector)) return true;
  float limit = bounds_.bound_of_rivals(first_bound_ + vector, best_[vector]);
  if (!(limit >= match.limit)) return false;
  for (std::size_t i = 1; i < match.rival_count; ++i) {
    if (rivals[i].bound < limit) continue;
    take(*document.segment, document.index, vector, rivals[i].position);
    limit = bounds_.bound_of_rivals(first_bound_ + vector, best_[vector]);
  }
  return true;
}

float DocumentRefiner::score_in_full(const Shortlist::Document& document) {
  const float score = scorer_.score(*document.segment, document.index);
  best_ = scorer_.best();
  best_vector_ = scorer_.best_vector();
  return score;
}

void DocumentRefiner::take(const granule_segment& segment, std::size_t document, std::size_t vector,
                           uint32_t position) {
  const std::size_t row = segment.row_offsets[document] + position;
  double dot;
  backend_.kernels.inner_product(queries_.vector(first_vector_ + vector), std::size_t{1}, queries_.stride,
                                 stored_rows(backend_, search_, segment, row, 1, scratch_.data()),
                                 std::size_t{1}, std::size_t{search_.dimension},
                                 std::size_t{search_.dimension}, &dot, std::size_t{1});
  const double squared_norm = segment.squared_norms != nullptr ? segment.squared_norms[row] : 0.0;
  const auto similarity = static_cast<float>(score_of(static_cast<Metric>(search_.metric), dot, squared_norm,
                                                      queries_.squared_norm(first_vector_ + vector)));
  if (similarity > best_[vector] || (similarity == best_[vector] && position < best_vector_[vector])) {
    best_[vector] = similarity;
    best_vector_[vector] = position;
  }
}

}  // namespace granule
