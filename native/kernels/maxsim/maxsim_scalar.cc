#include "kernels/maxsim/maxsim.h"

namespace granule {

void maxsim_fold_f64_scalar(const double* similarities, std::size_t count, uint32_t first, float* best,
                            uint32_t* best_vector) {
  float maximum = *best;
  uint32_t at = *best_vector;
  for (std::size_t j = 0; j < count; ++j) {
    const float s = static_cast<float>(similarities[j]);
    if (s > maximum) {
      maximum = s;
      at = first + static_cast<uint32_t>(j);
    }
  }
  *best = maximum;
  *best_vector = at;
}

}  // namespace granule
