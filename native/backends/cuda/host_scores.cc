#include "backends/cuda/host_scores.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "backends/cuda/cuda_failure.h"
#include "backends/cuda/host_threads.h"
#include "backends/cuda/stored_number.h"
#include "core/canonical_dot.h"
#include "core/ranked_list.h"
#include "core/score.h"

namespace granule::cuda {
namespace {

/// Numbers of stored vectors that are worth a thread of their own: some tens of microseconds.
constexpr uint64_t kNumbersOfThread = 1 << 16;

/// Calls work(i, scratch) for each i below `count`, on up to `most` threads with a scratch of their own.
template <typename Work>
void for_each_in_parallel(std::size_t count, std::size_t most, const Work& work) {
  std::atomic<std::size_t> next{0};
  run_on_threads(std::max<std::size_t>(1, std::min(count, most)), [&](std::size_t) {
    std::vector<float> scratch;
    try {
      for (std::size_t i = next++; i < count; i = next++) work(i, &scratch);
    } catch (...) {
      // The others have nothing left to do.
      next = count;
      throw;
    }
  });
}

void stop_if_asked(const granule_search& search) {
  if (search.cancelled(search.cancelled_context) != 0) throw Cancelled();
}

/// Stored vectors as float32: those themselves, or `scratch` with them.
const float* read_vectors(const granule_search& search, const granule_segment& segment, std::size_t first,
                          std::size_t count, std::vector<float>* scratch) {
  if (segment.verify != nullptr && segment.verify(segment.owner, first, count) == 0) throw Damaged();
  const auto dtype = static_cast<Dtype>(search.dtype);
  if (dtype == Dtype::f32) return static_cast<const float*>(segment.vectors) + first * search.dimension;
  scratch->resize(count * search.dimension);
  for (std::size_t i = 0; i < scratch->size(); ++i)
    (*scratch)[i] = stored_number(segment.vectors, dtype, first * search.dimension + i);
  return scratch->data();
}

/// The score of two vectors before its rounding.
double similarity(const granule_search& search, const granule_segment& segment, std::size_t index,
                  const float* query, double query_norm, const float* vector) {
  const double row_norm = segment.squared_norms != nullptr ? segment.squared_norms[index] : 0.0;
  return score_of(static_cast<Metric>(search.metric), canonical_dot(query, vector, search.dimension),
                  row_norm, query_norm);
}

float maxsim(const granule_search& search, const HostDocument& document, const double* query_norms,
             std::vector<float>* scratch) {
  const granule_segment& segment = *document.segment;
  const std::size_t index = document.row - segment.first_row;
  const std::size_t begin = segment.row_offsets[index];
  const std::size_t count = segment.row_offsets[index + 1] - begin;
  const float* const own = read_vectors(search, segment, begin, count, scratch);
  const uint64_t first = search.query_offsets[document.query];
  double sum = 0;
  for (uint64_t v = first; v < search.query_offsets[document.query + 1]; ++v) {
    const float* const query_vector = search.query_vectors + v * search.dimension;
    float best = -std::numeric_limits<float>::infinity();
    uint32_t best_vector = kNoRow;
    for (std::size_t i = 0; i < count; ++i) {
      const auto value = static_cast<float>(similarity(search, segment, begin + i, query_vector,
                                                       query_norms != nullptr ? query_norms[v] : 0.0,
                                                       own + i * search.dimension));
      if (!(value > best)) continue;
      best = value;
      best_vector = static_cast<uint32_t>(i);
    }
    sum += static_cast<double>(best);
    if (document.matched_vectors != nullptr) {
      document.matched_vectors[v - first] = best_vector;
      document.matched_similarities[v - first] = best;
    }
  }
  if (segment.row_biases != nullptr) sum += static_cast<double>(segment.row_biases[index]);
  return std::isnan(sum) ? -std::numeric_limits<float>::infinity() : static_cast<float>(sum);
}

}  // namespace

void score_on_host(const granule_search& search, std::vector<HostRow>* rows) {
  const std::size_t worth = rows->size() * search.dimension / kNumbersOfThread;
  for_each_in_parallel(rows->size(), std::min<std::size_t>(worth, search.threads),
                       [&](std::size_t i, std::vector<float>* scratch) {
                         HostRow& own = (*rows)[i];
                         if (i % 1024 == 0) stop_if_asked(search);
                         const granule_segment& segment = *own.segment;
                         const std::size_t index = own.row - segment.first_row;
                         const float* const vector = read_vectors(search, segment, index, 1, scratch);
                         double score = similarity(search, segment, index,
                                                   search.query_vectors + own.query * search.dimension,
                                                   own.query_squared_norm, vector);
                         if (segment.row_biases != nullptr)
                           score += static_cast<double>(segment.row_biases[index]);
                         own.score = static_cast<float>(score);
                       });
}

void score_on_host(const granule_search& search, std::vector<HostDocument>* documents) {
  if (documents->empty()) return;
  std::vector<double> query_norms;
  if (static_cast<Metric>(search.metric) == Metric::squared_l2) {
    query_norms.resize(search.query_offsets[search.query_count]);
    for (std::size_t v = 0; v < query_norms.size(); ++v) {
      const float* const vector = search.query_vectors + v * search.dimension;
      query_norms[v] = canonical_dot(vector, vector, search.dimension);
    }
  }
  for_each_in_parallel(documents->size(), search.threads, [&](std::size_t i, std::vector<float>* scratch) {
    stop_if_asked(search);
    HostDocument& own = (*documents)[i];
    own.score = maxsim(search, own, query_norms.empty() ? nullptr : query_norms.data(), scratch);
  });
}

}  // namespace granule::cuda
