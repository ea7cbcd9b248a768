#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/aligned_buffer.h"
#include "training/row_tasks.h"
#include "training/tower.h"

namespace granule {
namespace {

/// A run of rows on their way through a tower.
struct Rows {
  std::size_t first;
  std::size_t count;
  const float* inputs;
  float* hidden;
  float* outputs;
};

class ForwardPass {
 public:
  ForwardPass(const MatrixWorkers& workers, const TowerShape& shape,
              const TowerTensors<const float>& parameters, FirstNotFinite* first_bad)
      : workers_(workers), shape_(shape), parameters_(parameters), first_bad_(first_bad) {}

  /// @return false where it was cancelled
  bool map(const Rows& rows) {
    switch (shape_.kind) {
      case TowerKind::linear:
        return start(rows.count, shape_.output, nullptr, parameters_.output_bias, rows.outputs) &&
               multiply(workers_, {{rows.inputs, shape_.input},
                                   {parameters_.output_weight, shape_.input, true},
                                   rows.count,
                                   shape_.output,
                                   shape_.input,
                                   rows.outputs,
                                   shape_.output,
                                   parameters_.output_bias != nullptr});
      case TowerKind::low_rank:
        return hide(rows) && scale_hidden(rows) &&
               start(rows.count, shape_.output, rows.inputs, nullptr, rows.outputs) && show(rows, true);
      case TowerKind::mlp:
        return hide(rows) && cut_hidden(rows) &&
               start(rows.count, shape_.output, shape_.residual ? rows.inputs : nullptr,
                     parameters_.output_bias, rows.outputs) &&
               show(rows, shape_.residual || parameters_.output_bias != nullptr);
    }
    return false;
  }

  /// Looks at the outputs, and divides them by their norms. @param norms null: not kept
  bool finish(const Rows& rows, double* norms) {
    for_row_runs(workers_, rows.count, shape_.output, [&](std::size_t begin, std::size_t end) {
      for (std::size_t r = begin; r < end; ++r) {
        float* output = rows.outputs + r * shape_.output;
        check_finite_row(output, shape_.output, rows.first + r, first_bad_);
        if (!shape_.normalise) continue;
        const double norm = std::sqrt(workers_.kernels.squared_norm(output, shape_.output));
        if (norms != nullptr) norms[r] = norm;
        workers_.kernels.divide(output, shape_.output, std::max(norm, kTowerLeastNorm));
      }
    });
    return !workers_.cancel.cancelled();
  }

 private:
  /// What products are added to: the vectors `base`, the vector `bias`, their sum; nothing where both are
  /// null.
  bool start(std::size_t rows, std::size_t width, const float* base, const float* bias, float* out) {
    if (base == nullptr && bias == nullptr) return true;
    for_row_runs(workers_, rows, width, [&](std::size_t begin, std::size_t end) {
      for (std::size_t r = begin; r < end; ++r) {
        float* to = out + r * width;
        std::memcpy(to, base != nullptr ? base + r * width : bias, width * sizeof(float));
        if (base == nullptr || bias == nullptr) continue;
        for (std::size_t i = 0; i < width; ++i) to[i] += bias[i];
      }
    });
    return !workers_.cancel.cancelled();
  }

  /// h before what is done to its elements.
  bool hide(const Rows& rows) {
    return start(rows.count, shape_.hidden, nullptr, parameters_.hidden_bias, rows.hidden) &&
           multiply(workers_, {{rows.inputs, shape_.input},
                               {parameters_.hidden_weight, shape_.input, true},
                               rows.count,
                               shape_.hidden,
                               shape_.input,
                               rows.hidden,
                               shape_.hidden,
                               parameters_.hidden_bias != nullptr});
  }

  bool show(const Rows& rows, bool started) {
    return multiply(workers_, {{rows.hidden, shape_.hidden},
                               {parameters_.output_weight, shape_.hidden, true},
                               rows.count,
                               shape_.output,
                               shape_.hidden,
                               rows.outputs,
                               shape_.output,
                               started});
  }

  bool scale_hidden(const Rows& rows) {
    const double scale = shape_.scale;
    return each_hidden(rows, [scale](float h) { return static_cast<float>(scale * h); });
  }

  /// A NaN stays one, so that it shows in the outputs.
  bool cut_hidden(const Rows& rows) {
    return each_hidden(rows, [](float h) { return h <= 0 ? 0.0f : h; });
  }

  template <typename Map>
  bool each_hidden(const Rows& rows, const Map& map) {
    for_row_runs(workers_, rows.count, shape_.hidden, [&](std::size_t begin, std::size_t end) {
      std::transform(rows.hidden + begin * shape_.hidden, rows.hidden + end * shape_.hidden,
                     rows.hidden + begin * shape_.hidden, map);
    });
    return !workers_.cancel.cancelled();
  }

  const MatrixWorkers& workers_;
  const TowerShape& shape_;
  const TowerTensors<const float>& parameters_;
  FirstNotFinite* first_bad_;
};

}  // namespace

Status tower_forward(const MatrixWorkers& workers, const TowerShape& shape,
                     const TowerTensors<const float>& parameters, const float* inputs, std::size_t rows,
                     const TowerActivations& out) {
  const Status aborted = Status::failure(StatusCode::aborted, "the forward pass was aborted");
  AlignedBuffer<float> scratch(out.hidden == nullptr ? std::min(rows, kTowerRows) * shape.hidden : 0);
  FirstNotFinite bad_output;
  ForwardPass pass(workers, shape, parameters, &bad_output);
  for (std::size_t first = 0; first < rows; first += kTowerRows) {
    const Rows part{first, std::min(kTowerRows, rows - first), inputs + first * shape.input,
                    out.hidden == nullptr ? scratch.data() : out.hidden + first * shape.hidden,
                    out.outputs + first * shape.output};
    const auto inputs_status = [&] {
      FirstNotFinite bad_input;
      for_row_runs(workers, part.count, shape.input, [&](std::size_t begin, std::size_t end) {
        for (std::size_t r = begin; r < end; ++r)
          check_finite_row(part.inputs + r * shape.input, shape.input, first + r, &bad_input);
      });
      return bad_input.status("row");
    };
    // Sums of products show what is not finite among their factors; only max(0, h) hides an infinity.
    const bool hides = shape.kind == TowerKind::mlp;
    if (Status status = hides ? inputs_status() : Status::success(); !status.ok()) return status;
    if (!pass.map(part) || !pass.finish(part, out.norms == nullptr ? nullptr : out.norms + first))
      return aborted;
    if (Status status = bad_output.status("output row"); !status.ok()) {
      Status cause = inputs_status();
      return cause.ok() ? status : cause;
    }
  }
  return workers.cancel.cancelled() ? aborted : Status::success();
}

}  // namespace granule
