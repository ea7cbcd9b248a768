#include "backends/cuda/host_scores.h"

#include <cmath>
#include <limits>
#include <vector>

#include "backends/cuda/cuda_failure.h"
#include "backends/cuda/stored_number.h"
#include "core/canonical_dot.h"
#include "core/ranked_list.h"
#include "core/score.h"

namespace granule::cuda {

namespace {

/// Reads stored vectors as float32.
std::vector<float> read_vectors(const granule_search& search, const granule_segment& segment,
                                std::size_t first, std::size_t count) {
  if (segment.verify != nullptr && segment.verify(segment.owner, first, count) == 0) throw Damaged();
  std::vector<float> out(count * search.dimension);
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = stored_number(segment.vectors, static_cast<Dtype>(search.dtype), first * search.dimension + i);
  return out;
}

/// The score of two vectors before its rounding.
double similarity(const granule_search& search, const granule_segment& segment, std::size_t index,
                  const float* query, const float* vector) {
  const auto metric = static_cast<Metric>(search.metric);
  const double row_norm = segment.squared_norms != nullptr ? segment.squared_norms[index] : 0.0;
  const double query_norm =
      metric == Metric::squared_l2 ? canonical_dot(query, query, search.dimension) : 0.0;
  return score_of(metric, canonical_dot(query, vector, search.dimension), row_norm, query_norm);
}

}  // namespace

float host_score(const granule_search& search, const granule_segment& segment, uint64_t row,
                 const float* query) {
  const std::size_t index = row - segment.first_row;
  const std::vector<float> vector = read_vectors(search, segment, index, 1);
  double score = similarity(search, segment, index, query, vector.data());
  if (segment.row_biases != nullptr) score += static_cast<double>(segment.row_biases[index]);
  return static_cast<float>(score);
}

float host_maxsim(const granule_search& search, const granule_segment& segment, uint64_t row, uint64_t query,
                  uint32_t* vectors, float* similarities) {
  const std::size_t index = row - segment.first_row;
  const std::size_t begin = segment.row_offsets[index];
  const std::size_t count = segment.row_offsets[index + 1] - begin;
  const std::vector<float> own = read_vectors(search, segment, begin, count);
  double sum = 0;
  for (uint64_t v = search.query_offsets[query]; v < search.query_offsets[query + 1]; ++v) {
    const float* const query_vector = search.query_vectors + v * search.dimension;
    float best = -std::numeric_limits<float>::infinity();
    uint32_t best_vector = kNoRow;
    for (std::size_t i = 0; i < count; ++i) {
      const auto value = static_cast<float>(
          similarity(search, segment, begin + i, query_vector, own.data() + i * search.dimension));
      if (!(value > best)) continue;
      best = value;
      best_vector = static_cast<uint32_t>(i);
    }
    sum += static_cast<double>(best);
    if (vectors != nullptr) {
      *vectors++ = best_vector;
      *similarities++ = best;
    }
  }
  if (segment.row_biases != nullptr) sum += static_cast<double>(segment.row_biases[index]);
  return std::isnan(sum) ? -std::numeric_limits<float>::infinity() : static_cast<float>(sum);
}

}  // namespace granule::cuda
