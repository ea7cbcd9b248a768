#include "backends/cuda/instructions.cuh"
#include "backends/cuda/log_sum_exp.cuh"
#include "backends/cuda/row_score.cuh"
#include "core/log_sum_exp.h"

namespace granule::cuda {
namespace {

constexpr unsigned kThreads = 256;
/// Vectors that a block scores at a time.
constexpr unsigned kGroups = kThreads / kReferenceLanes;
constexpr unsigned kMostBlocks = 1024;
/// Query vectors whose best similarities a block keeps at a time.
constexpr uint32_t kPanel = 32;

/// Each carry out of the low half belongs to exactly one addition.
__device__ void add_to(SharedTermSum* sum, const TermSum& part) {
  const unsigned long long low = part.low;
  const unsigned long long before = atomicAdd(&sum->low, low);
  const unsigned long long high = part.high + (before + low < before ? 1u : 0u);
  if (high != 0) atomicAdd(&sum->high, high);
}

__global__ void __launch_bounds__(kThreads)
    sum_row_terms(const TermArguments arguments, const uint32_t segment_index, const uint32_t first,
                  const uint32_t end) {
  __shared__ SharedTermSum sums[kGroups];
  const SegmentView& segment = arguments.score.segments[segment_index];
  const uint32_t query = blockIdx.y;
  const float maximum = arguments.maxima[query];
  TermSum own;
  // All lanes of a warp go round equally often: they add up together.
  for (uint32_t block = blockIdx.x * kGroups; block < end - first; block += gridDim.x * kGroups) {
    const uint32_t place = block + threadIdx.x / kReferenceLanes;
    const bool counts = place < end - first && is_allowed(arguments.filter, first + place);
    const float score =
        score_of_row(arguments.score, segment, counts ? first + place - segment.first_row : 0, query, counts);
    if (counts && threadIdx.x % kReferenceLanes == 0)
      own.add(softmax_term(score, maximum, arguments.temperature));
  }
  if (threadIdx.x % kReferenceLanes == 0) sums[threadIdx.x / kReferenceLanes] = {own.low, own.high};
  __syncthreads();
  if (threadIdx.x != 0) return;
  TermSum all;
  for (unsigned g = 0; g < kGroups; ++g) all.add(TermSum{sums[g].low, sums[g].high});
  add_to(&arguments.sums[query], all);
}

/// Finds the greatest similarity of each of `count` query vectors from `first_vector` on among a document's
/// vectors, as ordered_key; 0 where none is above -infinity. For all threads.
__device__ void find_best(const ScoreArguments& score, const SegmentView& segment, uint32_t first_vector,
                          uint32_t count, std::size_t begin, std::size_t end, uint32_t* best) {
  __syncthreads();
  if (threadIdx.x < kPanel) best[threadIdx.x] = 0;
  __syncthreads();
  const std::size_t pairs = (end - begin) * count;
  for (std::size_t round = 0; round < pairs; round += kGroups) {
    const std::size_t pair = round + threadIdx.x / kReferenceLanes;
    const bool there = pair < pairs;
    const uint32_t vector = static_cast<uint32_t>(there ? begin + pair / count : begin);
    const auto own = static_cast<uint32_t>(pair % count);
    const auto similarity =
        static_cast<float>(similarity_of_vector(score, segment, vector, first_vector + own, there));
    if (there && threadIdx.x % kReferenceLanes == 0 && similarity > __uint_as_float(0xff800000u))
      atomicMax(&best[own], ordered_key(__float_as_uint(similarity)));
  }
  __syncthreads();
}

__global__ void __launch_bounds__(kThreads)
    sum_document_terms(const TermArguments arguments, const uint32_t segment_index, const uint32_t first,
                       const uint32_t end) {
  __shared__ uint32_t best[kPanel];
  const SegmentView& segment = arguments.score.segments[segment_index];
  const uint32_t query = blockIdx.y;
  const uint32_t first_vector = arguments.query_offsets[query];
  const uint32_t vectors = arguments.query_offsets[query + 1] - first_vector;
  TermSum own;
  for (uint32_t place = blockIdx.x; place < end - first; place += gridDim.x) {
    if (!is_allowed(arguments.filter, first + place)) continue;
    const uint32_t index = first + place - segment.first_row;
    double sum = 0;
    for (uint32_t v = 0; v < vectors; v += kPanel) {
      const uint32_t count = vectors - v < kPanel ? vectors - v : kPanel;
      find_best(arguments.score, segment, first_vector + v, count, segment.row_offsets[index],
                segment.row_offsets[index + 1], best);
      for (uint32_t i = 0; threadIdx.x == 0 && i < count; ++i) {
        // A zero of either sign adds the same.
        sum += static_cast<double>(__uint_as_float(best[i] != 0 ? bits_of_key(best[i]) : 0xff800000u));
      }
    }
    if (threadIdx.x != 0) continue;
    if (segment.row_biases != nullptr) sum += static_cast<double>(segment.row_biases[index]);
    const float score = sum == sum ? static_cast<float>(sum) : __uint_as_float(0xff800000u);
    own.add(softmax_term(score, arguments.maxima[query], arguments.temperature));
  }
  if (threadIdx.x == 0) add_to(&arguments.sums[query], own);
}

unsigned blocks_for(uint32_t units) { return units < 1 ? 1 : units < kMostBlocks ? units : kMostBlocks; }

}  // namespace

cudaError_t launch_sum_row_terms(const TermArguments& arguments, uint32_t segment, uint32_t first,
                                 uint32_t end, cudaStream_t stream) {
  const unsigned blocks = blocks_for((end - first + kGroups - 1) / kGroups);
  return launch(sum_row_terms, dim3(blocks, arguments.query_count), dim3(kThreads), 0, stream, arguments,
                segment, first, end);
}

cudaError_t launch_sum_document_terms(const TermArguments& arguments, uint32_t segment, uint32_t first,
                                      uint32_t end, cudaStream_t stream) {
  return launch(sum_document_terms, dim3(blocks_for(end - first), arguments.query_count), dim3(kThreads), 0,
                stream, arguments, segment, first, end);
}

}  // namespace granule::cuda
