#include "refinement/best_matches.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "core/canonical_dot.h"

namespace granule {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Bounds of so many rows, at the anchor and along its direction, cost about as much as one comparison with a
/// row that is in no cache.
constexpr uint64_t kBoundsPerComparison = 96;

/// Rows are listed for some steps in advance, at first so many: fewer would look through all bounds too
/// often, more would make the lists long. A place doubles its number while its list is shorter than the one
/// length and halves it while it is longer than the other.
constexpr double kStepsListed = 8;
constexpr double kMostStepsListed = 64;
constexpr std::size_t kShortList = 4;
constexpr std::size_t kLongList = 16;

/// A step that leads along the anchor's direction by less says nothing about the way ahead.
constexpr double kLeastAlong = 0.01;

/// What a step is expected to lead aside from the anchor's direction, at least.
constexpr double kShareAside = 0.1;

/// So much of a vector is fetched; the processor follows the rest of a longer one by itself.
constexpr std::size_t kBytesAhead = 1024;

void prefetch(const float* vector, std::size_t bytes) {
#if defined(__GNUC__)
  const char* const address = reinterpret_cast<const char*>(vector);
  for (std::size_t at = 0; at < std::min(bytes, kBytesAhead); at += 64) __builtin_prefetch(address + at);
#else
  (void)vector;
  (void)bytes;
#endif
}

/// Room for the roundings of a comparison.
double room(double magnitude, double norm_of_rows) { return 0x1p-20 * magnitude * norm_of_rows + 0x1p-120; }

}  // namespace

BestMatches::BestMatches(const CpuBackend& backend, const CodedDocuments& documents,
                         const QueryVectors& vectors)
    : backend_(backend),
      documents_(documents),
      vectors_(vectors),
      segment_(documents.segment()),
      matches_(vectors.count * documents.count() * documents.dimension()),
      former_similarities_(documents.count()),
      directions_(vectors.count * documents.dimension()),
      last_steps_(vectors.count),
      places_(vectors.count * documents.count()) {
  search_.dimension = static_cast<uint32_t>(documents.dimension());
  search_.metric = static_cast<int32_t>(Metric::inner_product);
  std::size_t longest = 0;
  for (std::size_t d = 0; d < documents.count(); ++d) longest = std::max(longest, documents.length(d));
  positions_.resize(longest);
  trajectories_.reserve(vectors.count);
  for (std::size_t i = 0; i < vectors.count; ++i) trajectories_.emplace_back(documents.dimension());
}

void BestMatches::find() {
  const bool has_directions = anchored_;
  const bool dropped =
      !anchored_ ||
      rivals_compared_ > compared_at_anchor_ + 2 * vectors_.count * documents_.rows() / kBoundsPerComparison;
  const bool full = !dropped && trajectories_[0].count() == Trajectory::kMost;
  if (full) forget_rivals();
  for (std::size_t i = 0; i < vectors_.count; ++i) {
    Trajectory& trajectory = trajectories_[i];
    const Trajectory::Reach former = dropped ? Trajectory::Reach{0, 0} : trajectory.reach(0);
    if (dropped) trajectory.forget(0);
    if (full) trajectory.forget(1);
    trajectory.advance(backend_.kernels, vectors_.values + i * documents_.dimension(),
                       vectors_.widened + i * vectors_.stride);
    const Trajectory::Reach& reach = trajectory.reach(0);
    last_steps_[i] = {reach.along - former.along, reach.aside - former.aside};
  }
  // The first anchor learns its directions from the step that leads away from it.
  if (dropped) drop_anchor();
  const bool directed_now = has_directions && !directed_;
  if (directed_now) bound_directions();
  for (std::size_t i = 0; i < vectors_.count; ++i) {
    compare_former(i);
    pending_.clear();
    for (std::size_t d = 0; d < documents_.count(); ++d) find_pending(i, d);
    compare_pending(i);
  }
  if (dropped || directed_now) compared_at_anchor_ = std::exchange(rivals_compared_, 0);
}

void BestMatches::drop_anchor() {
  bounded_ = false;
  directed_ = false;
  if (documents_.codes_serve()) {
    codes_.emplace(vectors_.values, vectors_.count, documents_.dimension(), Metric::inner_product);
    if (std::all_of(codes_->usable.begin(), codes_->usable.end(), [](char usable) { return usable != 0; })) {
      bound(*codes_, &bounds_);
      bounded_ = true;
    }
  }
  forget_rivals();
  if (!anchored_) guess_matches();
  anchored_ = true;
  rivals_compared_ = 0;
}

void BestMatches::bound_directions() {
  directed_ = true;
  forget_rivals();
  if (!bounded_) return;
  const std::size_t dimension = documents_.dimension();
  for (std::size_t i = 0; i < vectors_.count; ++i) {
    std::memcpy(directions_.data() + i * dimension, trajectories_[i].direction(0), dimension * sizeof(float));
  }
  direction_codes_.emplace(directions_.data(), vectors_.count, dimension, Metric::inner_product);
  bound(*direction_codes_, &direction_bounds_);
}

/// Bounds the products of all rows with coded vectors.
void BestMatches::bound(const CodedQueries& codes, std::optional<DocumentBounds>* bounds) {
  if (*bounds) {
    (*bounds)->set_queries(codes, 0);
  } else {
    bounds->emplace(backend_, search_, codes, 0, vectors_.count);
  }
  (*bounds)->compute(segment_, 0, documents_.count());
}

void BestMatches::forget_rivals() {
  for (Place& place : places_) {
    place.floor = kInfinity;
    place.steps_listed = kStepsListed;
    place.rivals.clear();
  }
}

/// The first of all is compared with a row that is likely to be the best, so that few others have to be.
void BestMatches::guess_matches() {
  for (std::size_t i = 0; i < vectors_.count; ++i) {
    for (std::size_t d = 0; d < documents_.count(); ++d) {
      uint64_t row = documents_.first_row(d);
      if (bounded_) {
        const std::size_t found = bounds_->select(d, i, bounds_->greatest(d, i), positions_.data());
        if (found > 0) row += positions_[0];
      }
      match(i, d, row);
    }
  }
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
    Place& place = places_[i * count + d];
    place.former_best = place.best;
    place.best = static_cast<float>(former_similarities_[d]);
  }
}

/// Adds those rivals to pending_ that may be better than the former best match.
void BestMatches::find_pending(std::size_t i, std::size_t d) {
  Place& place = places_[i * documents_.count() + d];
  const Trajectory& trajectory = trajectories_[i];
  const uint64_t begin = documents_.first_row(d);
  const double norm_of_rows = documents_.norm(d);
  const double needed = place.best - room(trajectory.magnitude(), norm_of_rows);

  const Trajectory::Reach from_anchor = trajectory.reach(0);
  const double floor = needed - from_anchor.aside * norm_of_rows;
  if (!(floor >= place.floor + from_anchor.along * place.floor_slope && from_anchor.along >= place.nearest &&
        from_anchor.along <= place.farthest)) {
    list_rivals(i, d, floor);
  }
  for (Rival& rival : place.rivals) {
    const Trajectory::Reach& reach = trajectory.reach(rival.station);
    const double bound = rival.similarity + reach.along * rival.slope + reach.aside * norm_of_rows;
    if (bound < needed || begin + rival.position == place.row) continue;
    prefetch(documents_.vector(begin + rival.position), documents_.dimension() * sizeof(float));
    pending_.push_back({d, &rival});
  }
}

void BestMatches::compare_pending(std::size_t i) {
  const Trajectory& trajectory = trajectories_[i];
  const auto now = static_cast<uint32_t>(trajectory.count() - 1);
  const bool straight = trajectory.step(now) > 0;
  rivals_compared_ += pending_.size();
  for (const Pending& pending : pending_) {
    Place& place = places_[i * documents_.count() + pending.document];
    Rival& rival = *pending.rival;
    const uint64_t row = documents_.first_row(pending.document) + rival.position;
    const float similarity = product(vectors_.widened + i * vectors_.stride, row);
    rival.station = now;
    rival.similarity = similarity;
    rival.slope = straight ? product(trajectory.last_direction(), row) : 0.0f;
    ++comparisons_;
    if (similarity > place.best || (similarity == place.best && row < place.row)) {
      place.best = similarity;
      match(i, pending.document, row);
    }
  }
}

/// Lists every row whose bound reaches `floor`, or what that may fall to in the next steps, on their way
/// along the anchor's direction. Those that were compared since the anchor keep what they have from there.
void BestMatches::list_rivals(std::size_t i, std::size_t d, double floor) {
  Place& place = places_[i * documents_.count() + d];
  const Trajectory& trajectory = trajectories_[i];
  std::size_t count = documents_.length(d);
  merged_.clear();
  // The best similarity is expected to go on as it did.
  const Trajectory::Reach& step = last_steps_[i];
  const double change = static_cast<double>(place.best) - place.former_best;
  place.floor_slope = step.along > kLeastAlong ? change / step.along : 0.0;
  place.nearest = trajectory.reach(0).along;
  place.farthest = place.nearest + place.steps_listed;
  place.floor =
      floor - place.nearest * place.floor_slope -
      place.steps_listed * std::max(kShareAside * trajectory.step(0), step.aside) * documents_.norm(d);
  if (bounded_) {
    const DocumentBounds& slopes = directed_ ? *direction_bounds_ : *bounds_;
    const double magnitude = trajectory.magnitude() + place.farthest * trajectory.step(0);
    const double limit = place.floor - room(magnitude, documents_.norm(d)) -
                         0x1p-20 * (std::fabs(place.floor) + place.farthest * std::fabs(place.floor_slope));
    count = bounds_->select_along(d, i, slopes, directed_ ? place.nearest : 0, directed_ ? place.farthest : 0,
                                  limit, place.floor_slope, positions_.data());
    for (std::size_t p = 0; p < count; ++p) {
      const uint32_t position = positions_[p];
      const float slope = directed_ ? slopes.similarity_bound(i, slopes.bound(d, i, position)) : 0.0f;
      merged_.push_back({position, 0, bounds_->similarity_bound(i, bounds_->bound(d, i, position)), slope});
    }
  } else {
    for (uint32_t position = 0; position < count; ++position) merged_.push_back({position, 0, kInfinity, 0});
    place.floor = -kInfinity;
    place.floor_slope = 0;
    place.nearest = 0;
    place.farthest = kInfinity;
  }
  std::size_t known = 0;
  for (Rival& rival : merged_) {
    while (known < place.rivals.size() && place.rivals[known].position < rival.position) ++known;
    if (known == place.rivals.size()) break;
    if (place.rivals[known].position == rival.position) rival = place.rivals[known];
  }
  place.rivals.assign(merged_.begin(), merged_.end());
  if (count < kShortList && place.steps_listed < kMostStepsListed) place.steps_listed *= 2;
  if (count > kLongList && place.steps_listed > 1) place.steps_listed /= 2;
}

float BestMatches::product(const double* widened, uint64_t row) {
  double product;
  backend_.kernels.inner_product(widened, 1, vectors_.stride, documents_.vector(row), 1,
                                 documents_.dimension(), documents_.dimension(), &product, 1);
  return static_cast<float>(product);
}

}  // namespace granule
