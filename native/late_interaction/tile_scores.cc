#include "late_interaction/tile_scores.h"

#include <algorithm>
#include <functional>

#include "core/canonical_dot.h"
#include "core/canonical_exp.h"
#include "core/canonical_log.h"

namespace granule {
namespace {

/// Attention over the similarities that stand out: sum_j b_j s_j / sum_j b_j.
double sparse_attended(const float* similarities, std::size_t count, double greatest) {
  const double least = *std::min_element(similarities, similarities + count);
  if (greatest == least) {
    double sum = 0;
    for (std::size_t j = 0; j < count; ++j) sum += similarities[j];
    return sum / static_cast<double>(count);
  }
  const double threshold = 1 / static_cast<double>(count);
  double total = 0;
  double sum = 0;
  for (std::size_t j = 0; j < count; ++j) {
    const double share = (similarities[j] - least) / (greatest - least);
    if (share < threshold) continue;
    total += share;
    sum += share * similarities[j];
  }
  return sum / total;
}

double sum_of(const float* values, std::size_t count) {
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += values[i];
  return sum;
}

}  // namespace

double TileScorer::score(const SimilarityTile& tile, const CancelFlag& cancel) {
  const std::size_t count = tile.document_vectors;
  const double t = scoring_.temperature;
  const auto sum = [&](const auto& reduce) { return weighted_sum(tile, cancel, reduce); };
  switch (scoring_.score) {
    case MultiVectorScore::maxsim:
      return sum([&](std::size_t i) -> double { return tile.greatest[i]; });
    case MultiVectorScore::mean_maxsim:
      return sum([&](std::size_t i) -> double { return tile.greatest[i]; }) / weight_total(tile);
    case MultiVectorScore::smooth_maxsim:
      return sum([&](std::size_t i) {
        const double greatest = tile.greatest[i];
        // At least 1, the term of the greatest.
        return greatest + t * canonical_log(kernels_.softmax_terms(tile.row(i), count, greatest, t, nullptr));
      });
    case MultiVectorScore::top_mean:
      return sum([&](std::size_t i) { return top_mean(tile.row(i), count); });
    case MultiVectorScore::filip:
      return filip(tile, cancel);
    case MultiVectorScore::pacl:
      return sum([&](std::size_t i) { return attended(tile.row(i), count, tile.greatest[i], false); }) /
             weight_total(tile);
    case MultiVectorScore::sparc:
      return sum([&](std::size_t i) { return sparse_attended(tile.row(i), count, tile.greatest[i]); }) /
             weight_total(tile);
    case MultiVectorScore::flair:
      return sum([&](std::size_t i) { return attended(tile.row(i), count, tile.greatest[i], true); }) /
             weight_total(tile);
    case MultiVectorScore::bi_isa:
      return aggregation_.both_ways(tile.similarities, tile.query_vectors, count, scoring_.mixing, cancel);
  }
  return 0;
}

template <typename Reduce>
double TileScorer::weighted_sum(const SimilarityTile& tile, const CancelFlag& cancel,
                                const Reduce& reduce) const {
  double sum = 0;
  for (std::size_t i = 0; i < tile.query_vectors && !cancel.cancelled(); ++i) {
    sum += scoring_.weights == nullptr ? reduce(i) : scoring_.weights[i] * reduce(i);
  }
  return sum;
}

double TileScorer::weight_total(const SimilarityTile& tile) const {
  if (scoring_.weights == nullptr) return static_cast<double>(tile.query_vectors);
  double total = 0;
  for (std::size_t i = 0; i < tile.query_vectors; ++i) total += scoring_.weights[i];
  return total;
}

double TileScorer::top_mean(const float* similarities, std::size_t count) {
  best_.resize(std::min(scoring_.most, count));
  std::partial_sort_copy(similarities, similarities + count, best_.begin(), best_.end(),
                         std::greater<float>());
  return sum_of(best_.data(), best_.size()) / static_cast<double>(best_.size());
}

/// sum_j a_j s_j. An empty key is a vector of zeros that takes part in the softmax.
double TileScorer::attended(const float* similarities, std::size_t count, double greatest, bool empty_key) {
  if (empty_key) greatest = std::max(greatest, 0.0);
  terms_.resize(count);
  double sum = kernels_.softmax_terms(similarities, count, greatest, scoring_.temperature, terms_.data());
  if (empty_key) sum += canonical_exp((0 - greatest) / scoring_.temperature);
  return canonical_dot(terms_.data(), similarities, count) / sum;
}

double TileScorer::filip(const SimilarityTile& tile, const CancelFlag& cancel) {
  const double forwards = sum_of(tile.greatest, tile.query_vectors) / static_cast<double>(tile.query_vectors);
  if (scoring_.direction == FilipDirection::query_to_document) return forwards;
  const std::size_t count = tile.document_vectors;
  column_greatest_.assign(tile.row(0), tile.row(0) + count);
  for (std::size_t i = 1; i < tile.query_vectors && !cancel.cancelled(); ++i) {
    const float* similarities = tile.row(i);
    float* greatest = column_greatest_.data();
    for (std::size_t j = 0; j < count; ++j) {
      greatest[j] = similarities[j] > greatest[j] ? similarities[j] : greatest[j];
    }
  }
  const double backwards = sum_of(column_greatest_.data(), count) / static_cast<double>(count);
  return scoring_.direction == FilipDirection::both ? (forwards + backwards) / 2 : backwards;
}

}  // namespace granule
