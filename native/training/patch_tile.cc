#include "training/patch_tile.h"

#include <algorithm>

namespace granule {
namespace {

double mean_of(double sum, std::size_t count) { return sum / static_cast<double>(count); }

}  // namespace

double PatchTileScorer::best_patches(const PatchTile& tile, double scale) const {
  double score = 0;
  for (std::size_t a = 0; a < tile.words; ++a) {
    const float* row = tile.similarities + a * tile.stride;
    score += scale * static_cast<double>(*std::max_element(row, row + tile.patches));
  }
  return score;
}

void PatchTileScorer::best_patches_gradient(const PatchTile& tile, double slope, double* gradient) const {
  for (std::size_t a = 0; a < tile.words; ++a) {
    const float* row = tile.similarities + a * tile.stride;
    gradient[a * tile.patches + static_cast<std::size_t>(std::max_element(row, row + tile.patches) - row)] +=
        slope;
  }
}

void PatchTileScorer::find_best_words(const PatchTile& tile) {
  best_words_.assign(tile.patches, 0);
  for (std::size_t a = 1; a < tile.words; ++a) {
    const float* row = tile.similarities + a * tile.stride;
    for (std::size_t b = 0; b < tile.patches; ++b) {
      if (row[b] > tile.similarities[best_words_[b] * tile.stride + b]) best_words_[b] = a;
    }
  }
}

double PatchTileScorer::best_words(const PatchTile& tile) {
  find_best_words(tile);
  double sum = 0;
  for (std::size_t b = 0; b < tile.patches; ++b) {
    sum += static_cast<double>(tile.similarities[best_words_[b] * tile.stride + b]);
  }
  return mean_of(sum, tile.patches);
}

void PatchTileScorer::best_words_gradient(const PatchTile& tile, double slope, double* gradient) {
  find_best_words(tile);
  for (std::size_t b = 0; b < tile.patches; ++b) {
    gradient[best_words_[b] * tile.patches + b] += mean_of(slope, tile.patches);
  }
}

double PatchTileScorer::attend(const float* row, std::size_t patches, double temperature) {
  weights_.resize(patches);
  const double greatest = *std::max_element(row, row + patches);
  const double sum = kernels_.softmax_terms(row, patches, greatest, temperature, weights_.data());
  double expected = 0;
  for (std::size_t b = 0; b < patches; ++b) {
    weights_[b] /= sum;
    expected += weights_[b] * static_cast<double>(row[b]);
  }
  return expected;
}

double PatchTileScorer::pacl(const PatchTile& tile, double temperature) {
  double sum = 0;
  for (std::size_t a = 0; a < tile.words; ++a) {
    sum += attend(tile.similarities + a * tile.stride, tile.patches, temperature);
  }
  return mean_of(sum, tile.words);
}

double PatchTileScorer::pacl_gradient(const PatchTile& tile, double temperature, double slope,
                                      double* gradient) {
  const double share = mean_of(slope, tile.words);
  double by_temperature = 0;
  for (std::size_t a = 0; a < tile.words; ++a) {
    const float* row = tile.similarities + a * tile.stride;
    const double expected = attend(row, tile.patches, temperature);
    for (std::size_t b = 0; b < tile.patches; ++b) {
      const double away = (static_cast<double>(row[b]) - expected) / temperature;
      gradient[a * tile.patches + b] += share * weights_[b] * (1 + away);
      by_temperature -= share * weights_[b] * away * away;
    }
  }
  return by_temperature;
}

double PatchTileScorer::group(const float* row, std::size_t patches) {
  const auto [low, high] = std::minmax_element(row, row + patches);
  const double least = *low;
  const double range = static_cast<double>(*high) - least;
  const double share = mean_of(1, patches);
  if (range == 0) {
    weights_.assign(patches, share);
    return 0;
  }
  weights_.resize(patches);
  double sum = 0;
  for (std::size_t b = 0; b < patches; ++b) {
    const double distance = static_cast<double>(row[b]) - least;
    weights_[b] = distance / range < share ? 0.0 : distance;
    sum += weights_[b];
  }
  for (double& weight : weights_) weight /= sum;
  return sum;
}

double PatchTileScorer::sparc(const PatchTile& tile) {
  double score = 0;
  for (std::size_t a = 0; a < tile.words; ++a) {
    const float* row = tile.similarities + a * tile.stride;
    group(row, tile.patches);
    for (std::size_t b = 0; b < tile.patches; ++b) score += weights_[b] * static_cast<double>(row[b]);
  }
  return mean_of(score, tile.words);
}

void PatchTileScorer::sparc_gradient(const PatchTile& tile, double slope, double* gradient) {
  const double share = mean_of(slope, tile.words);
  for (std::size_t a = 0; a < tile.words; ++a) {
    const float* row = tile.similarities + a * tile.stride;
    double* out = gradient + a * tile.patches;
    const double sum = group(row, tile.patches);
    double mean = 0;
    for (std::size_t b = 0; b < tile.patches; ++b) mean += weights_[b] * static_cast<double>(row[b]);
    double through = 0;
    for (std::size_t b = 0; b < tile.patches; ++b) {
      if (weights_[b] == 0) continue;
      const double by_weight = sum == 0 ? 0.0 : (static_cast<double>(row[b]) - mean) / sum;
      through += by_weight;
      out[b] += share * (weights_[b] + by_weight);
    }
    out[std::min_element(row, row + tile.patches) - row] -= share * through;
  }
}

}  // namespace granule
