#include "training/score_contrast.h"

#include <algorithm>
#include <vector>

#include "core/canonical_exp.h"
#include "core/canonical_log.h"

namespace granule {

void add_score_contrast(const ContrastScores& batch, bool by_query, double share, double* gradient,
                        ScoreContrast* sums) {
  const std::size_t n = batch.query_count;
  const std::size_t m = batch.document_count;
  const std::size_t candidates = by_query ? m : n;
  const std::size_t step = by_query ? 1 : m;
  double total = 0;
  for (std::size_t i = 0; i < n; ++i) total += batch.weights == nullptr ? 1.0 : batch.weights[i];
  std::vector<double> terms(candidates);
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t from = by_query ? i * m : i;
    const double* s = batch.scores + from;
    const auto counts = [&](std::size_t j) {
      return j == i || batch.groups == nullptr || batch.groups[j] != batch.groups[i];
    };
    double greatest = s[i * step];
    for (std::size_t j = 0; j < candidates; ++j) {
      if (counts(j)) greatest = std::max(greatest, s[j * step]);
    }
    double sum = 0;
    for (std::size_t j = 0; j < candidates; ++j) {
      terms[j] = counts(j) ? canonical_exp((s[j * step] - greatest) / batch.temperature) : 0.0;
      sum += terms[j];
    }
    const double weight = share * (batch.weights == nullptr ? 1.0 : batch.weights[i]) / total;
    const double own = s[i * step];
    sums->loss += weight * (canonical_log(sum) + (greatest - own) / batch.temperature);
    double* g = gradient + from;
    for (std::size_t j = 0; j < candidates; ++j) {
      const double slope = weight / batch.temperature * (terms[j] / sum - (j == i ? 1.0 : 0.0));
      g[j * step] += slope;
      sums->slopes += slope * (s[j * step] - own);
    }
  }
}

}  // namespace granule
