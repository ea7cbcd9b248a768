#include "backends/cuda/instructions.cuh"
#include "backends/cuda/row_score.cuh"
#include "backends/cuda/score_rows.cuh"

namespace granule::cuda {
namespace {

constexpr unsigned kThreads = 256;
/// Rows that a block scores at a time.
constexpr unsigned kRowsOfBlock = kThreads / kReferenceLanes;
constexpr unsigned kMostBlocks = 1024;

/// The segment that holds a row.
__device__ const SegmentView& segment_of(const ScoreArguments& score, uint32_t row) {
  uint32_t low = 0;
  uint32_t high = score.segment_count;
  while (high - low > 1) {
    const uint32_t middle = low + (high - low) / 2;
    (score.segments[middle].first_row <= row ? low : high) = middle;
  }
  return score.segments[low];
}

__global__ void __launch_bounds__(kThreads)
    score_candidates(const ScoreArguments score, const CandidateLists lists, const uint32_t* thresholds,
                     float* scores) {
  const uint32_t query = blockIdx.y;
  const uint32_t count = lists.counts[query] < lists.capacity ? lists.counts[query] : lists.capacity;
  const std::size_t begin = static_cast<std::size_t>(query) * lists.capacity;
  // All lanes of a warp go round equally often: they add up together.
  for (uint32_t block = blockIdx.x * kRowsOfBlock; block < count; block += gridDim.x * kRowsOfBlock) {
    const uint32_t i = block + threadIdx.x / kReferenceLanes;
    const bool listed = i < count;
    const Candidate candidate = listed ? lists.candidates[begin + i] : Candidate{0, 0, 0};
    const SegmentView& segment = segment_of(score, candidate.row);
    // Vectors that stay with the host are scored there.
    const bool reaches = listed && segment.vectors != nullptr &&
                         ordered_key(__float_as_uint(candidate.upper)) >= thresholds[query];
    const float value = score_of_row(score, segment, candidate.row - segment.first_row, query, reaches);
    if (listed && threadIdx.x % kReferenceLanes == 0)
      scores[begin + i] = reaches ? value : __uint_as_float(0x7fc00000u);
  }
}

__global__ void __launch_bounds__(kThreads)
    score_survivors(const ScoreArguments score, const CandidateLists lists, const uint32_t* thresholds,
                    const SurvivorLists out) {
  const uint32_t query = blockIdx.y;
  const uint32_t count = lists.counts[query];
  if (blockIdx.x == 0 && threadIdx.x == 0) {
    out.counts[query] = count;
    out.thresholds[query] = thresholds[query];
  }
  if (count > out.capacity) return;
  for (uint32_t block = blockIdx.x * kRowsOfBlock; block < count; block += gridDim.x * kRowsOfBlock) {
    const uint32_t i = block + threadIdx.x / kReferenceLanes;
    const bool listed = i < count;
    const uint32_t row =
        listed ? lists.candidates[static_cast<std::size_t>(query) * lists.capacity + i].row : 0;
    const SegmentView& segment = segment_of(score, row);
    // Vectors that stay with the host are scored there.
    const bool here = listed && segment.vectors != nullptr;
    const float value = score_of_row(score, segment, row - segment.first_row, query, here);
    if (listed && threadIdx.x % kReferenceLanes == 0) {
      out.survivors[static_cast<std::size_t>(query) * out.capacity + i] = {
          row, here ? value : __uint_as_float(0x7fc00000u)};
    }
  }
}

__global__ void __launch_bounds__(kThreads)
    score_range(const ScoreArguments score, const uint32_t segment_index, const uint32_t first,
                const uint32_t end, const uint8_t* filter, float* scores, const uint32_t stride) {
  const SegmentView& segment = score.segments[segment_index];
  const uint32_t query = blockIdx.y;
  for (uint32_t block = first + blockIdx.x * kRowsOfBlock; block < end; block += gridDim.x * kRowsOfBlock) {
    const uint32_t row = block + threadIdx.x / kReferenceLanes;
    const bool counts = row < end && is_allowed(filter, row);
    const float value = score_of_row(score, segment, counts ? row - segment.first_row : 0, query, counts);
    if (row < end && threadIdx.x % kReferenceLanes == 0)
      scores[static_cast<std::size_t>(query) * stride + (row - first)] =
          counts ? value : __uint_as_float(0x7fc00000u);
  }
}

unsigned blocks_for(uint32_t rows) {
  const unsigned blocks = (rows + kRowsOfBlock - 1) / kRowsOfBlock;
  return blocks < 1 ? 1 : blocks < kMostBlocks ? blocks : kMostBlocks;
}

}  // namespace

cudaError_t launch_score_candidates(const ScoreArguments& score, const CandidateLists& lists,
                                    const uint32_t* thresholds, uint32_t most_candidates, float* scores,
                                    cudaStream_t stream) {
  return launch(score_candidates, dim3(blocks_for(most_candidates), score.query_count), dim3(kThreads), 0,
                stream, score, lists, thresholds, scores);
}

cudaError_t launch_score_survivors(const ScoreArguments& score, const CandidateLists& lists,
                                   const uint32_t* thresholds, const SurvivorLists& out,
                                   cudaStream_t stream) {
  return launch(score_survivors, dim3(blocks_for(out.capacity), score.query_count), dim3(kThreads), 0, stream,
                score, lists, thresholds, out);
}

cudaError_t launch_score_range(const ScoreArguments& score, uint32_t segment, uint32_t first, uint32_t end,
                               const uint8_t* filter, float* scores, uint32_t stride, cudaStream_t stream) {
  return launch(score_range, dim3(blocks_for(end - first), score.query_count), dim3(kThreads), 0, stream,
                score, segment, first, end, filter, scores, stride);
}

}  // namespace granule::cuda
