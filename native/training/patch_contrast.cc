#include "training/patch_contrast.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/aligned_buffer.h"
#include "training/patch_tile.h"
#include "training/row_tasks.h"
#include "training/score_contrast.h"

namespace granule {
namespace {

constexpr std::size_t kBlockNumbers = std::size_t{1} << 21;
/// Images of one text that one thread takes at a time.
constexpr std::size_t kImages = 16;

std::vector<std::size_t> starts_of(const VectorLists& lists) {
  std::vector<std::size_t> starts(lists.count + 1);
  for (std::size_t i = 0; i < lists.count; ++i) starts[i + 1] = starts[i] + lists.lengths[i];
  return starts;
}

class PatchContrast {
 public:
  PatchContrast(const MatrixWorkers& workers, const PatchContrastBatch& batch, PatchGradients* out)
      : workers_(workers),
        batch_(batch),
        out_(out),
        words_(starts_of(batch.texts)),
        patches_(starts_of(batch.images)),
        scorers_(workers.threads, PatchTileScorer(workers.kernels)),
        tile_gradients_(workers.threads) {}

  Status run() {
    if (Status status = check_finite(batch_.texts.vectors, words_.back(), "word"); !status.ok())
      return status;
    if (Status status = check_finite(batch_.images.vectors, patches_.back(), "patch"); !status.ok())
      return status;
    const std::size_t pairs = batch_.texts.count * batch_.images.count;
    AlignedBuffer<float> block(longest_block() * patches_.back());
    scores_.resize(pairs);
    second_scores_.resize(batch_.score == PatchScore::filip ? pairs : 0);
    Status status = for_blocks(block.data(), [&](std::size_t begin, std::size_t end) {
      for_pairs(begin, end, [&](std::size_t i, std::size_t j, std::size_t slot) {
        score(i, j, tile(block.data(), begin, i, j), scorers_[slot]);
      });
      return true;
    });
    if (!status.ok()) return status;
    if (status = contrast(); !status.ok()) return status;

    slopes_by_attention_.resize(batch_.score == PatchScore::pacl ? pairs : 0);
    std::fill_n(out_->words, words_.back() * batch_.dimension, 0.0f);
    std::fill_n(out_->patches, patches_.back() * batch_.dimension, 0.0f);
    status = for_blocks(block.data(), [&](std::size_t begin, std::size_t end) {
      for_pairs(begin, end, [&](std::size_t i, std::size_t j, std::size_t slot) {
        to_gradient(i, j, tile(block.data(), begin, i, j), slot);
      });
      return add_gradients(block.data(), begin, end);
    });
    if (!status.ok()) return status;
    out_->attention_temperature = 0;
    for (const double slope : slopes_by_attention_) out_->attention_temperature += slope;
    if (!std::isfinite(out_->attention_temperature)) return too_far_apart();
    if (status = check_finite(out_->words, words_.back(), "gradient of word"); !status.ok()) return status;
    return check_finite(out_->patches, patches_.back(), "gradient of patch");
  }

 private:
  static Status aborted() { return Status::failure(StatusCode::aborted, "the contrast was aborted"); }
  static Status too_far_apart() {
    return Status::failure(StatusCode::not_finite,
                           "the loss is not finite: scores lie too far apart for the temperature");
  }

  Status check_finite(const float* vectors, std::size_t count, const char* what) {
    FirstNotFinite first_bad;
    for_row_runs(workers_, count, batch_.dimension, [&](std::size_t begin, std::size_t end) {
      for (std::size_t r = begin; r < end; ++r) {
        check_finite_row(vectors + r * batch_.dimension, batch_.dimension, r, &first_bad);
      }
    });
    return first_bad.status(what);
  }

  /// The text behind the last one of a block that begins with text `begin`.
  std::size_t block_end(std::size_t begin) const {
    const std::size_t most = std::max<std::size_t>(kBlockNumbers / patches_.back(), 1);
    std::size_t end = begin + 1;
    while (end < batch_.texts.count && words_[end + 1] - words_[begin] <= most) ++end;
    return end;
  }

  /// Words.
  std::size_t longest_block() const {
    std::size_t longest = 0;
    for (std::size_t begin = 0; begin < batch_.texts.count; begin = block_end(begin)) {
      longest = std::max(longest, words_[block_end(begin)] - words_[begin]);
    }
    return longest;
  }

  /// Calls body(begin, end) for blocks of texts whose similarities with all patches lie in `block`.
  template <typename Body>
  Status for_blocks(float* block, const Body& body) {
    const std::size_t d = batch_.dimension;
    for (std::size_t begin = 0; begin < batch_.texts.count;) {
      const std::size_t end = block_end(begin);
      const std::size_t count = words_[end] - words_[begin];
      if (!multiply(workers_, {{batch_.texts.vectors + words_[begin] * d, d},
                               {batch_.images.vectors, d, true},
                               count,
                               patches_.back(),
                               d,
                               block,
                               patches_.back()})) {
        return aborted();
      }
      FirstNotFinite first_bad;
      for_row_runs(workers_, count, patches_.back(), [&](std::size_t first, std::size_t last) {
        for (std::size_t r = first; r < last; ++r) {
          check_finite_row(block + r * patches_.back(), patches_.back(), words_[begin] + r, &first_bad);
        }
      });
      if (Status status = first_bad.status("similarities with word"); !status.ok()) return status;
      if (!body(begin, end) || workers_.cancel.cancelled()) return aborted();
      begin = end;
    }
    return Status::success();
  }

  /// Calls body(text, image, slot) for the pairs of a block.
  template <typename Body>
  void for_pairs(std::size_t begin, std::size_t end, const Body& body) {
    const std::size_t images = batch_.images.count;
    const std::size_t runs = (images + kImages - 1) / kImages;
    workers_.pool.parallel_for_slots(
        (end - begin) * runs, workers_.threads, [&](std::size_t task, std::size_t slot) {
          if (workers_.cancel.cancelled()) return;
          const std::size_t first = task % runs * kImages;
          for (std::size_t j = first; j < std::min(images, first + kImages); ++j) {
            body(begin + task / runs, j, slot);
          }
        });
  }

  PatchTile tile(float* block, std::size_t begin, std::size_t i, std::size_t j) const {
    return {block + (words_[i] - words_[begin]) * patches_.back() + patches_[j], patches_.back(),
            words_[i + 1] - words_[i], patches_[j + 1] - patches_[j]};
  }

  /// What a sum over words counts for, where scores are sums of their best patches.
  double scale_of(const PatchTile& tile) const {
    return batch_.score == PatchScore::max_sim ? 1 : 1 / static_cast<double>(tile.words);
  }

  void score(std::size_t i, std::size_t j, const PatchTile& tile, PatchTileScorer& scorer) {
    const std::size_t pair = i * batch_.images.count + j;
    switch (batch_.score) {
      case PatchScore::filip:
        second_scores_[pair] = scorer.best_words(tile);
        [[fallthrough]];
      case PatchScore::max_sim:
      case PatchScore::mean_max_sim:
        scores_[pair] = scorer.best_patches(tile, scale_of(tile));
        break;
      case PatchScore::pacl:
        scores_[pair] = scorer.pacl(tile, batch_.attention_temperature);
        break;
      case PatchScore::sparc:
        scores_[pair] = scorer.sparc(tile);
        break;
    }
  }

  /// From scores to the loss and dL/dscore.
  Status contrast() {
    const ContrastScores first{scores_.data(),     batch_.texts.count, batch_.images.count,
                               batch_.temperature, batch_.groups,      batch_.weights};
    ContrastScores second = first;
    slopes_.assign(scores_.size(), 0);
    second_slopes_.assign(second_scores_.size(), 0);
    double* second_slopes = slopes_.data();
    if (batch_.score == PatchScore::filip) {
      second.scores = second_scores_.data();
      second_slopes = second_slopes_.data();
    }
    ScoreContrast sums;
    const double share = batch_.direction == ContrastDirection::both ? 0.5 : 1;
    if (batch_.direction != ContrastDirection::document_to_query) {
      add_score_contrast(first, true, share, slopes_.data(), &sums);
    }
    if (batch_.direction != ContrastDirection::query_to_document) {
      add_score_contrast(second, false, share, second_slopes, &sums);
    }
    out_->loss = sums.loss;
    out_->temperature = -sums.slopes / batch_.temperature;
    return std::isfinite(out_->loss) && std::isfinite(out_->temperature) ? Status::success()
                                                                         : too_far_apart();
  }

  /// Replaces similarities by dL/ds.
  void to_gradient(std::size_t i, std::size_t j, const PatchTile& tile, std::size_t slot) {
    const std::size_t pair = i * batch_.images.count + j;
    PatchTileScorer& scorer = scorers_[slot];
    std::vector<double>& gradient = tile_gradients_[slot];
    gradient.assign(tile.words * tile.patches, 0);
    const double slope = slopes_[pair];
    switch (batch_.score) {
      case PatchScore::filip:
        scorer.best_words_gradient(tile, second_slopes_[pair], gradient.data());
        [[fallthrough]];
      case PatchScore::max_sim:
      case PatchScore::mean_max_sim:
        scorer.best_patches_gradient(tile, slope * scale_of(tile), gradient.data());
        break;
      case PatchScore::pacl:
        slopes_by_attention_[pair] =
            scorer.pacl_gradient(tile, batch_.attention_temperature, slope, gradient.data());
        break;
      case PatchScore::sparc:
        scorer.sparc_gradient(tile, slope, gradient.data());
        break;
    }
    for (std::size_t a = 0; a < tile.words; ++a) {
      std::transform(gradient.begin() + static_cast<std::ptrdiff_t>(a * tile.patches),
                     gradient.begin() + static_cast<std::ptrdiff_t>((a + 1) * tile.patches),
                     tile.similarities + a * tile.stride, [](double g) { return static_cast<float>(g); });
    }
  }

  bool add_gradients(const float* g, std::size_t begin, std::size_t end) {
    const std::size_t d = batch_.dimension;
    const std::size_t count = words_[end] - words_[begin];
    const std::size_t all = patches_.back();
    return multiply(workers_, {{g, all},
                               {batch_.images.vectors, d},
                               count,
                               d,
                               all,
                               out_->words + words_[begin] * d,
                               d,
                               true}) &&
           multiply(workers_, {{g, all, true},
                               {batch_.texts.vectors + words_[begin] * d, d},
                               all,
                               d,
                               count,
                               out_->patches,
                               d,
                               true});
  }

  const MatrixWorkers& workers_;
  const PatchContrastBatch& batch_;
  PatchGradients* out_;
  /// Where each text's words and each image's patches begin.
  std::vector<std::size_t> words_;
  std::vector<std::size_t> patches_;
  /// One per thread.
  std::vector<PatchTileScorer> scorers_;
  std::vector<std::vector<double>> tile_gradients_;
  /// Per pair: the score, and dL/dscore. The second ones are those by which images look for texts, where they
  /// are others.
  std::vector<double> scores_;
  std::vector<double> second_scores_;
  std::vector<double> slopes_;
  std::vector<double> second_slopes_;
  std::vector<double> slopes_by_attention_;
};

}  // namespace

Status patch_contrast(const MatrixWorkers& workers, const PatchContrastBatch& batch, PatchGradients* out) {
  return PatchContrast(workers, batch, out).run();
}

}  // namespace granule
