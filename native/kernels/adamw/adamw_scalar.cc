#include <cmath>

#include "kernels/adamw/adamw.h"

namespace granule {

void adamw_numbers_f32_scalar(const AdamWUpdate& update, const float* gradient, std::size_t count,
                              float* values, float* first, float* second) {
  for (std::size_t i = 0; i < count; ++i) {
    const double g = update.factor * gradient[i];
    first[i] = static_cast<float>(update.first_decay * first[i] + (1 - update.first_decay) * g);
    second[i] = static_cast<float>(update.second_decay * second[i] + (1 - update.second_decay) * (g * g));
    const double direction = (first[i] / update.first_correction) /
                             (std::sqrt(second[i] / update.second_correction) + update.epsilon);
    values[i] = static_cast<float>(values[i] - update.rate * (direction + update.decay * values[i]));
  }
}

}  // namespace granule
