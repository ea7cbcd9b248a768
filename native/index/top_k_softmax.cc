#include "index/top_k_softmax.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/canonical_log.h"
#include "core/ranked_list.h"
#include "index/prepared_vectors.h"

namespace granule {
namespace {

/// Scores looked at between two raises of the selection's threshold.
constexpr std::size_t kSelectBlock = 4096;

}  // namespace

void softmax_of_ranked(const KernelTable& kernels, const float* scores, std::size_t count, double temperature,
                       float* probabilities) {
  if (count == 0) return;
  constexpr float kGreatest = std::numeric_limits<float>::max();
  std::vector<float> finite(count);
  for (std::size_t i = 0; i < count; ++i) finite[i] = std::clamp(scores[i], -kGreatest, kGreatest);
  std::vector<double> terms(count);
  const double sum = kernels.softmax_terms(finite.data(), count, finite[0], temperature, terms.data());
  for (std::size_t i = 0; i < count; ++i) probabilities[i] = static_cast<float>(terms[i] / sum);
}

Status top_k_softmax(const KernelTable& kernels, const float* scores, std::size_t count, std::size_t k,
                     double temperature, TopKSoftmax* out) {
  for (std::size_t i = 0; i < count; ++i) {
    if (!std::isfinite(scores[i])) {
      FirstNotFinite bad;
      bad.report(i, 0, scores[i]);
      return bad.status("score");
    }
  }
  RankedList best(k);
  std::vector<uint32_t> positions(std::min(count, kSelectBlock));
  for (std::size_t begin = 0; begin < count; begin += kSelectBlock) {
    const std::size_t size = std::min(kSelectBlock, count - begin);
    const std::size_t selected =
        kernels.softmax_select(scores + begin, size, best.threshold(), positions.data());
    for (std::size_t i = 0; i < selected; ++i) {
      best.offer(scores[begin + positions[i]], static_cast<uint32_t>(begin + positions[i]));
    }
  }
  out->rows.resize(k);
  out->scores.resize(k);
  out->probabilities.resize(k);
  best.drain(out->rows.data(), out->scores.data());

  const double maximum = out->scores[0];
  std::vector<double> terms(k);
  const double top = kernels.softmax_terms(out->scores.data(), k, maximum, temperature, terms.data());
  const double all = kernels.softmax_terms(scores, count, maximum, temperature, nullptr);
  for (std::size_t i = 0; i < k; ++i) out->probabilities[i] = static_cast<float>(terms[i] / top);
  out->log_sum_exp = maximum / temperature + canonical_log(all);
  out->mass = std::min(1.0, top / all);
  return Status::success();
}

}  // namespace granule
