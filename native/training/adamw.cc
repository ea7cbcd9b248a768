#include "training/adamw.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "index/prepared_vectors.h"

namespace granule {
namespace {

constexpr std::size_t kBlock = 4096;
/// The square of what is above this is near the end of float32.
constexpr double kMostNorm = 1e19;

struct Block {
  std::size_t tensor;
  std::size_t first;
  std::size_t count;
};

std::vector<Block> blocks_of(const std::vector<AdamWTensor>& tensors) {
  std::vector<Block> out;
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    for (std::size_t first = 0; first < tensors[t].count; first += kBlock) {
      out.push_back({t, first, std::min(kBlock, tensors[t].count - first)});
    }
  }
  return out;
}

/// Squares of float32 do not overflow float64: a sum that is not finite has a number in it that is not.
Status not_finite(const AdamWTensor& tensor, const Block& block) {
  FirstNotFinite first_bad;
  for (std::size_t i = block.first; i < block.first + block.count; ++i) {
    if (!std::isfinite(tensor.gradient[i])) {
      first_bad.report(block.tensor, i, tensor.gradient[i]);
      break;
    }
  }
  return first_bad.status("gradient of parameter");
}

}  // namespace

Status adamw_step(ThreadPool& pool, const KernelTable& kernels, const std::vector<AdamWTensor>& tensors,
                  const AdamWStep& step, double* gradient_norm) {
  const std::vector<Block> blocks = blocks_of(tensors);
  constexpr std::size_t kWorthThreads = 8;
  const unsigned threads = blocks.size() < kWorthThreads ? 1 : step.threads;
  std::vector<double> squares(blocks.size());
  pool.parallel_for(blocks.size(), threads, [&](std::size_t b) {
    const Block& block = blocks[b];
    squares[b] = kernels.squared_norm(tensors[block.tensor].gradient + block.first, block.count);
  });
  double sum = 0;
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    if (!std::isfinite(squares[b])) return not_finite(tensors[blocks[b].tensor], blocks[b]);
    sum += squares[b];
  }
  const double norm = std::sqrt(sum);
  const double factor = norm > step.clip ? step.clip / norm : 1;
  if (std::min(norm, step.clip) > kMostNorm) {
    char text[128];
    std::snprintf(text, sizeof text, "the gradient's norm is %.6g; its square is beyond float32, clip it",
                  norm);
    return Status::failure(StatusCode::not_finite, text);
  }
  pool.parallel_for(blocks.size(), threads, [&](std::size_t b) {
    const auto& [t, start, count] = blocks[b];
    const AdamWTensor& tensor = tensors[t];
    kernels.adamw_numbers(AdamWUpdate{step, factor, tensor.decay}, tensor.gradient + start, count,
                          tensor.values + start, tensor.first + start, tensor.second + start);
  });
  *gradient_norm = norm;
  return Status::success();
}

}  // namespace granule
