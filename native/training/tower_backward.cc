#include <algorithm>
#include <vector>

#include "core/aligned_buffer.h"
#include "core/canonical_dot.h"
#include "training/row_tasks.h"
#include "training/tower.h"

namespace granule {
namespace {

class BackwardPass {
 public:
  BackwardPass(const MatrixWorkers& workers, const TowerShape& shape,
               const TowerTensors<const float>& parameters, const TowerTensors<float>& gradients,
               const TowerBackward& pass)
      : workers_(workers),
        shape_(shape),
        parameters_(parameters),
        gradients_(gradients),
        pass_(pass),
        output_slope_(std::min(pass.rows, kTowerRows) * shape.output),
        hidden_slope_(std::min(pass.rows, kTowerRows) * shape.hidden),
        output_bias_(gradients.output_bias == nullptr ? 0 : shape.output),
        hidden_bias_(gradients.hidden_bias == nullptr ? 0 : shape.hidden) {}

  /// @return false where it was cancelled
  bool run() {
    for (first_ = 0; first_ < pass_.rows; first_ += kTowerRows) {
      count_ = std::min(kTowerRows, pass_.rows - first_);
      if (!unnormalise() || !(shape_.kind == TowerKind::linear ? through_weight() : through_hidden()))
        return false;
    }
    add_sums(output_bias_, gradients_.output_bias);
    add_sums(hidden_bias_, gradients_.hidden_bias);
    return true;
  }

 private:
  const float* inputs() const { return pass_.inputs + first_ * shape_.input; }
  const float* hidden() const { return pass_.hidden + first_ * shape_.hidden; }

  /// dL/dz from dL/dy.
  bool unnormalise() {
    const std::size_t width = shape_.output;
    for_row_runs(workers_, count_, width, [&](std::size_t begin, std::size_t end) {
      for (std::size_t r = begin; r < end; ++r) {
        const float* g = pass_.output_gradient + (first_ + r) * width;
        float* slope = output_slope_.data() + r * width;
        if (!shape_.normalise) {
          std::copy_n(g, width, slope);
          continue;
        }
        const double norm = pass_.norms[first_ + r];
        if (norm < kTowerLeastNorm) {
          std::fill_n(slope, width, 0.0f);
          continue;
        }
        const float* y = pass_.outputs + (first_ + r) * width;
        const double along = canonical_dot(y, g, width);
        for (std::size_t i = 0; i < width; ++i) {
          slope[i] =
              static_cast<float>((static_cast<double>(g[i]) - static_cast<double>(y[i]) * along) / norm);
        }
      }
    });
    return !workers_.cancel.cancelled();
  }

  bool through_weight() {
    return sum_columns(output_slope_.data(), shape_.output, &output_bias_) &&
           add_weight_gradient(output_slope_.data(), shape_.output, inputs(), shape_.input,
                               gradients_.output_weight) &&
           (pass_.input_gradient == nullptr ||
            multiply(workers_, {{output_slope_.data(), shape_.output},
                                {parameters_.output_weight, shape_.input},
                                count_,
                                shape_.input,
                                shape_.output,
                                pass_.input_gradient + first_ * shape_.input,
                                shape_.input}));
  }

  bool through_hidden() {
    return sum_columns(output_slope_.data(), shape_.output, &output_bias_) &&
           add_weight_gradient(output_slope_.data(), shape_.output, hidden(), shape_.hidden,
                               gradients_.output_weight) &&
           multiply(workers_, {{output_slope_.data(), shape_.output},
                               {parameters_.output_weight, shape_.hidden},
                               count_,
                               shape_.hidden,
                               shape_.output,
                               hidden_slope_.data(),
                               shape_.hidden}) &&
           before_hidden() && sum_columns(hidden_slope_.data(), shape_.hidden, &hidden_bias_) &&
           add_weight_gradient(hidden_slope_.data(), shape_.hidden, inputs(), shape_.input,
                               gradients_.hidden_weight) &&
           (pass_.input_gradient == nullptr || add_input_gradient());
  }

  /// From dL/dh to the gradient of the product that h was made of.
  bool before_hidden() {
    const std::size_t width = shape_.hidden;
    for_row_runs(workers_, count_, width, [&](std::size_t begin, std::size_t end) {
      float* slope = hidden_slope_.data();
      const float* h = hidden();
      if (shape_.kind == TowerKind::mlp) {
        for (std::size_t i = begin * width; i < end * width; ++i) slope[i] = h[i] > 0 ? slope[i] : 0.0f;
      } else {
        for (std::size_t i = begin * width; i < end * width; ++i) {
          slope[i] = static_cast<float>(shape_.scale * slope[i]);
        }
      }
    });
    return !workers_.cancel.cancelled();
  }

  /// What came around the hidden layer, and what came through it.
  bool add_input_gradient() {
    float* out = pass_.input_gradient + first_ * shape_.input;
    const bool around = shape_.kind == TowerKind::low_rank || shape_.residual;
    if (around) std::copy_n(output_slope_.data(), count_ * shape_.input, out);
    return multiply(workers_, {{hidden_slope_.data(), shape_.hidden},
                               {parameters_.hidden_weight, shape_.input},
                               count_,
                               shape_.input,
                               shape_.hidden,
                               out,
                               shape_.input,
                               around});
  }

  /// gradient += slope^T from
  bool add_weight_gradient(const float* slope, std::size_t width, const float* from, std::size_t from_width,
                           float* gradient) {
    return multiply(
        workers_,
        {{slope, width, true}, {from, from_width}, width, from_width, count_, gradient, from_width, true});
  }

  /// sums[j] += sum of column j, rows ascending. Nothing to do without a bias.
  bool sum_columns(const float* slope, std::size_t width, std::vector<double>* sums) {
    if (sums->empty()) return true;
    constexpr std::size_t kColumns = 64;
    constexpr std::size_t kWorthThreads = std::size_t{1} << 16;
    const unsigned threads = count_ * width < kWorthThreads ? 1 : workers_.threads;
    workers_.pool.parallel_for((width + kColumns - 1) / kColumns, threads, [&](std::size_t task) {
      const std::size_t begin = task * kColumns;
      const std::size_t end = std::min(width, begin + kColumns);
      for (std::size_t r = 0; r < count_ && !workers_.cancel.cancelled(); ++r) {
        for (std::size_t j = begin; j < end; ++j) (*sums)[j] += static_cast<double>(slope[r * width + j]);
      }
    });
    return !workers_.cancel.cancelled();
  }

  static void add_sums(const std::vector<double>& sums, float* gradient) {
    for (std::size_t j = 0; j < sums.size(); ++j) gradient[j] += static_cast<float>(sums[j]);
  }

  const MatrixWorkers& workers_;
  const TowerShape& shape_;
  const TowerTensors<const float>& parameters_;
  const TowerTensors<float>& gradients_;
  const TowerBackward& pass_;
  /// dL/dz and dL/dh of the rows under way.
  AlignedBuffer<float> output_slope_;
  AlignedBuffer<float> hidden_slope_;
  std::vector<double> output_bias_;
  std::vector<double> hidden_bias_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

}  // namespace

Status tower_backward(const MatrixWorkers& workers, const TowerShape& shape,
                      const TowerTensors<const float>& parameters, const TowerTensors<float>& gradients,
                      const TowerBackward& pass) {
  FirstNotFinite first_bad;
  for_row_runs(workers, pass.rows, shape.output, [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) {
      check_finite_row(pass.output_gradient + r * shape.output, shape.output, r, &first_bad);
    }
  });
  if (Status status = first_bad.status("output gradient row"); !status.ok()) return status;
  if (!BackwardPass(workers, shape, parameters, gradients, pass).run()) {
    return Status::failure(StatusCode::aborted, "the backward pass was aborted");
  }
  return Status::success();
}

}  // namespace granule
