#include "backends/cuda/instructions.cuh"
#include "backends/cuda/select_threshold.cuh"

namespace granule::cuda {
namespace {

constexpr unsigned kThreads = 256;
constexpr unsigned kDigitBits = 8;
constexpr unsigned kDigits = 1u << kDigitBits;

/// The k-th largest of the keys that `key_at(i)`, i below `count`, gives, 0 for those that do not count; 0
/// where fewer than k count. By digits, the greatest first: a histogram tells which digit the k-th largest
/// has. For all threads of a block together.
template <typename KeyAt>
__device__ uint32_t kth_largest(uint32_t count, uint32_t k, const KeyAt& key_at) {
  __shared__ uint32_t histogram[kDigits];
  __shared__ uint32_t chosen_digit;
  __shared__ uint32_t still_wanted;
  uint32_t prefix = 0;
  uint32_t mask = 0;
  uint32_t wanted = k;
  for (int shift = 32 - static_cast<int>(kDigitBits); shift >= 0; shift -= static_cast<int>(kDigitBits)) {
    for (unsigned digit = threadIdx.x; digit < kDigits; digit += kThreads) histogram[digit] = 0;
    __syncthreads();
    for (uint32_t i = threadIdx.x; i < count; i += kThreads) {
      const uint32_t key = key_at(i);
      if (key != 0 && (key & mask) == prefix) atomicAdd(&histogram[(key >> shift) & (kDigits - 1)], 1u);
    }
    __syncthreads();
    if (threadIdx.x == 0) {
      uint32_t left = wanted;
      uint32_t digit = kDigits;
      while (digit > 0 && left > 0) {
        --digit;
        if (histogram[digit] >= left) break;
        left -= histogram[digit];
        if (digit == 0) left = 0xffffffffu;
      }
      chosen_digit = digit;
      still_wanted = left;
    }
    __syncthreads();
    // Fewer than k count.
    if (still_wanted == 0xffffffffu) return 0;
    prefix |= chosen_digit << shift;
    mask |= (kDigits - 1) << shift;
    wanted = still_wanted;
    __syncthreads();
  }
  return prefix;
}

__device__ uint32_t key_of(float number) {
  return number == number ? ordered_key(__float_as_uint(number)) : 0u;
}

__global__ void __launch_bounds__(kThreads)
    select_candidates(const CandidateLists from, const CandidateLists to, uint32_t* thresholds,
                      const uint32_t k) {
  const uint32_t query = blockIdx.x;
  const uint32_t found = from.counts[query];
  const uint32_t count = found < from.capacity ? found : from.capacity;
  const Candidate* const candidates = from.candidates + static_cast<std::size_t>(query) * from.capacity;
  const uint32_t known = thresholds[query];
  const uint32_t reached =
      kth_largest(count, k, [candidates](uint32_t i) { return key_of(candidates[i].lower); });
  const uint32_t threshold = reached > known ? reached : known;
  __syncthreads();
  if (threadIdx.x == 0) thresholds[query] = threshold;
  Candidate* const out = to.candidates + static_cast<std::size_t>(query) * to.capacity;
  for (uint32_t i = threadIdx.x; i < count; i += kThreads) {
    if (key_of(candidates[i].upper) < threshold) continue;
    const uint32_t at = atomicAdd(to.counts + query, 1u);
    if (at < to.capacity) out[at] = candidates[i];
  }
  // What was lost stays lost: the caller sees by the count that it was.
  if (threadIdx.x == 0 && found > from.capacity) atomicAdd(to.counts + query, to.capacity + 1u);
}

__global__ void __launch_bounds__(kThreads)
    select_threshold(const float* numbers, const uint32_t count, const uint32_t stride, uint32_t* thresholds,
                     const uint32_t k) {
  const float* const own = numbers + static_cast<std::size_t>(blockIdx.x) * stride;
  const uint32_t reached = kth_largest(count, k, [own](uint32_t i) { return key_of(own[i]); });
  if (threadIdx.x == 0 && reached > thresholds[blockIdx.x]) thresholds[blockIdx.x] = reached;
}

}  // namespace

cudaError_t launch_select_candidates(const CandidateLists& from, const CandidateLists& to,
                                     uint32_t* thresholds, uint32_t k, uint32_t query_count,
                                     cudaStream_t stream) {
  return launch(select_candidates, dim3(query_count), dim3(kThreads), 0, stream, from, to, thresholds, k);
}

cudaError_t launch_select_threshold(const float* numbers, uint32_t count, uint32_t stride,
                                    uint32_t* thresholds, uint32_t k, uint32_t query_count,
                                    cudaStream_t stream) {
  return launch(select_threshold, dim3(query_count), dim3(kThreads), 0, stream, numbers, count, stride,
                thresholds, k);
}

}  // namespace granule::cuda
