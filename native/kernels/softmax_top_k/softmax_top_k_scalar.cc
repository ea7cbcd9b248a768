#include "core/canonical_dot.h"
#include "core/canonical_exp.h"
#include "kernels/softmax_top_k/softmax_top_k.h"

namespace granule {

double softmax_terms_f32_scalar(const float* scores, std::size_t count, double maximum, double temperature,
                                double* terms) {
  double lane[kLanes] = {};
  for (std::size_t i = 0; i < count; ++i) {
    const double term = canonical_exp((static_cast<double>(scores[i]) - maximum) / temperature);
    if (terms != nullptr) terms[i] = term;
    lane[i % kLanes] += term;
  }
  return sum_lanes(lane);
}

std::size_t softmax_select_f32_scalar(const float* scores, std::size_t count, float threshold,
                                      uint32_t* positions) {
  std::size_t selected = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (scores[i] >= threshold) positions[selected++] = static_cast<uint32_t>(i);
  }
  return selected;
}

}  // namespace granule
