#include "refinement/best_matches.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/canonical_dot.h"

namespace granule {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Bounds of so many rows cost about as much as one similarity of a row that is in no cache.
constexpr uint64_t kBoundsPerComparison = 48;

/// Rows are listed for so many steps in advance: fewer would look through all bounds too often, more would
/// make the lists long.
constexpr double kStepsListed = 4;

}  // namespace

BestMatches::BestMatches(const CpuBackend& backend, const CodedDocuments& documents,
                         const QueryVectors& vectors)
    : backend_(backend),
      documents_(documents),
      vectors_(vectors),
      segment_(documents.segment()),
      matches_(vectors.count * documents.count() * documents.dimension()),
      former_similarities_(documents.count()),
      places_(vectors.count * documents.count()),
      ways_(vectors.count, 0.0),
      last_distances_(vectors.count, 0.0) {
  search_.dimension = static_cast<uint32_t>(documents.dimension());
  search_.metric = static_cast<int32_t>(Metric::inner_product);
  std::size_t longest = 0;
  for (std::size_t d = 0; d < documents.count(); ++d) longest = std::max(longest, documents.length(d));
  positions_.resize(longest);
}

void BestMatches::find() {
  if (!anchored_ || rivals_compared_ * kBoundsPerComparison > vectors_.count * documents_.rows()) {
    drop_anchor();
  }
  for (std::size_t i = 0; i < vectors_.count; ++i) {
    const double* vector = vectors_.widened + i * vectors_.stride;
    const double norm = std::sqrt(canonical_dot(vector, vector, documents_.dimension()));
    compare_former(i);
    for (std::size_t d = 0; d < documents_.count(); ++d) find_in(i, d, norm);
  }
}

void BestMatches::drop_anchor() {
  bounded_ = false;
  if (documents_.codes_serve()) {
    codes_.emplace(vectors_.values, vectors_.count, documents_.dimension(), Metric::inner_product);
    if (std::all_of(codes_->usable.begin(), codes_->usable.end(), [](char usable) { return usable != 0; })) {
      if (bounds_) {
        bounds_->set_queries(*codes_, 0);
      } else {
        bounds_.emplace(backend_, search_, *codes_, 0, vectors_.count);
      }
      bounded_ = true;
      bounds_->compute(segment_, 0, documents_.count());
    }
  }
  for (std::size_t i = 0; i < vectors_.count; ++i) {
    ways_[i] = 0;
    for (std::size_t d = 0; d < documents_.count(); ++d) {
      Place& place = places_[i * documents_.count() + d];
      place.floor = kInfinity;
      place.rivals.clear();
      if (anchored_) continue;
      // The first of all is compared with a row that is likely to be the best, so that few others have to be.
      uint64_t row = documents_.first_row(d);
      if (bounded_) {
        const std::size_t found = bounds_->select(d, i, bounds_->greatest(d, i), positions_.data());
        if (found > 0) row += positions_[0];
      }
      match(i, d, row);
    }
  }
  anchored_ = true;
  rivals_compared_ = 0;
}

/// Row `row` is the best match of a place from here on.
void BestMatches::match(std::size_t i, std::size_t d, uint64_t row) {
  places_[i * documents_.count() + d].row = row;
  std::memcpy(matches_.data() + (i * documents_.count() + d) * documents_.dimension(), documents_.vector(row),
              documents_.dimension() * sizeof(float));
}

/// The former best matches first: the others have to reach their similarities.
void BestMatches::compare_former(std::size_t i) {
  const std::size_t count = documents_.count();
  backend_.kernels.inner_product(vectors_.widened + i * vectors_.stride, 1, vectors_.stride, matches(i),
                                 count, documents_.dimension(), documents_.dimension(),
                                 former_similarities_.data(), count);
  comparisons_ += count;
  for (std::size_t d = 0; d < count; ++d) {
    places_[i * count + d].best = static_cast<float>(former_similarities_[d]);
  }
}

void BestMatches::find_in(std::size_t i, std::size_t d, double norm) {
  Place& place = places_[i * documents_.count() + d];
  const uint64_t begin = documents_.first_row(d);
  const double norm_of_rows = documents_.norm(d);
  const double raise = ways_[i] * norm_of_rows;
  const double slack = 0x1p-20 * (norm + ways_[i]) * norm_of_rows + 0x1p-120;

  const uint64_t former_row = place.row;
  const auto former = static_cast<uint32_t>(former_row - begin);
  const auto least_key = static_cast<float>(place.best - raise - slack);
  if (!(least_key >= place.floor)) {
    list_rivals(i, d, static_cast<float>(least_key - kStepsListed * last_distances_[i] * norm_of_rows));
  }
  pending_.clear();
  for (Rival& rival : place.rivals) {
    if (!(rival.key < least_key) && rival.position != former) pending_.push_back(&rival);
  }
  // All similarities first: the processor waits for the memory of several rows at once.
  similarities_.resize(pending_.size());
  for (std::size_t p = 0; p < pending_.size(); ++p) {
    similarities_[p] = similarity_with(i, begin + pending_[p]->position);
  }
  rivals_compared_ += pending_.size();
  for (std::size_t p = 0; p < pending_.size(); ++p) {
    const uint64_t row = begin + pending_[p]->position;
    const float similarity = similarities_[p];
    pending_[p]->key = static_cast<float>(similarity - raise);
    if (similarity > place.best || (similarity == place.best && row < place.row)) {
      place.best = similarity;
      place.row = row;
    }
  }
  if (place.row != former_row) match(i, d, place.row);
}

/// Lists every row whose key reaches `floor`. Those that were compared since the anchor keep the key that
/// they have from there.
void BestMatches::list_rivals(std::size_t i, std::size_t d, float floor) {
  Place& place = places_[i * documents_.count() + d];
  std::size_t count = documents_.length(d);
  merged_.clear();
  if (bounded_ && !bounds_->is_constant(i)) {
    count = bounds_->select(d, i, bounds_->bound_of_rivals(i, floor), positions_.data());
    for (std::size_t p = 0; p < count; ++p) {
      const uint32_t position = positions_[p];
      merged_.push_back({position, bounds_->similarity_bound(i, bounds_->bound(d, i, position))});
    }
    place.floor = floor;
  } else {
    for (uint32_t position = 0; position < count; ++position) merged_.push_back({position, kInfinity});
    place.floor = -kInfinity;
  }
  std::size_t known = 0;
  for (Rival& rival : merged_) {
    while (known < place.rivals.size() && place.rivals[known].position < rival.position) ++known;
    if (known == place.rivals.size()) break;
    if (place.rivals[known].position == rival.position) rival.key = place.rivals[known].key;
  }
  place.rivals.assign(merged_.begin(), merged_.end());
}

float BestMatches::similarity_with(std::size_t i, uint64_t row) {
  ++comparisons_;
  double similarity;
  backend_.kernels.inner_product(vectors_.widened + i * vectors_.stride, 1, vectors_.stride,
                                 documents_.vector(row), 1, documents_.dimension(), documents_.dimension(),
                                 &similarity, 1);
  return static_cast<float>(similarity);
}

}  // namespace granule
