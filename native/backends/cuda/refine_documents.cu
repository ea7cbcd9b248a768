#include "backends/cuda/document_panel.cuh"
#include "backends/cuda/maxsim_bounds.cuh"
#include "backends/cuda/reference_dot.cuh"
#include "backends/cuda/refine_documents.cuh"
#include "backends/cuda/shared_memory.h"

namespace granule::cuda {
namespace {

/// Vectors that may match a panel's query vectors best; where there are more, all are compared.
constexpr uint32_t kMostRivals = 1024;
constexpr unsigned kMostBlocks = 2048;
constexpr unsigned kGroups = kPanelThreads / kReferenceLanes;

struct Rival {
  uint32_t vector;
  uint32_t position;
};

/// What a block keeps of a document and a panel.
struct Shared {
  PanelMaxima maxima;
  ScanQuery queries[kPanelVectors];
  Rival rivals[kMostRivals];
  uint32_t rival_count;
  /// The best match of each query vector (match_key); 0 where there is none.
  unsigned long long best[kPanelVectors];
};

/// The greater, the greater the similarity, then the smaller the position; the last bit says that a zero is
/// -0.
__device__ unsigned long long match_key(float similarity, uint32_t position) {
  const uint32_t bits = __float_as_uint(similarity);
  return static_cast<unsigned long long>(ordered_key(bits)) << 32 | (0x7fffffffu - position) << 1 |
         (bits == 0x80000000u ? 1u : 0u);
}

__device__ float similarity_of_key(unsigned long long key) {
  return __uint_as_float((key & 1) != 0 ? 0x80000000u : bits_of_key(static_cast<uint32_t>(key >> 32)));
}

__device__ uint32_t position_of_key(unsigned long long key) {
  return 0x7fffffffu - (static_cast<uint32_t>(key & 0xffffffffu) >> 1);
}

/// The similarity of a query vector and a document's vector, rounded, by eight lanes together.
__device__ float similarity_of(const DocumentArguments& search, const DocumentRange& document,
                               uint32_t query_vector, uint32_t position, bool there) {
  const SegmentView& segment = *document.segment;
  const std::size_t vector = document.begin + position;
  const double dot =
      reference_dot(search.query_vectors + static_cast<std::size_t>(query_vector) * search.dimension,
                    segment.vectors, search.dtype, vector * search.dimension, there ? search.dimension : 0);
  if (search.metric != Metric::squared_l2 || !there) return static_cast<float>(dot);
  return static_cast<float>((2.0 * dot - segment.squared_norms[vector]) -
                            search.query_squared_norms[query_vector]);
}

/// Compares pairs of a panel's query vectors and the document's vectors, each with eight lanes. For all
/// threads.
template <typename PairAt>
__device__ void compare(const DocumentArguments& search, const DocumentRange& document, uint32_t first_vector,
                        uint32_t pairs, const PairAt& pair_at, Shared* shared) {
  for (uint32_t round = 0; round < pairs; round += kGroups) {
    const uint32_t i = round + threadIdx.x / kReferenceLanes;
    const bool there = i < pairs;
    const Rival rival = there ? pair_at(i) : Rival{0, 0};
    const float similarity =
        similarity_of(search, document, first_vector + rival.vector, rival.position, there);
    // Neither NaN nor -infinity matches.
    if (there && threadIdx.x % kReferenceLanes == 0 && similarity > __uint_as_float(0xff800000u))
      atomicMax(&shared->best[rival.vector], match_key(similarity, rival.position));
  }
}

__global__ void __launch_bounds__(kPanelThreads)
    refine_documents(const DocumentArguments search, const DocumentLists lists, float* scores,
                     const uint32_t stride, const MatchArrays matches) {
  __shared__ Shared shared;
  int4* const codes = reinterpret_cast<int4*>(dynamic_shared_memory());
  const uint32_t q = blockIdx.y;
  const DocumentQuery query = search.queries[q];
  const uint32_t panels = (query.vector_count + kPanelVectors - 1) / kPanelVectors;
  const uint32_t count = lists.counts[q] < lists.capacity ? lists.counts[q] : lists.capacity;
  for (uint32_t entry = blockIdx.x; entry < count; entry += gridDim.x) {
    const std::size_t listed = static_cast<std::size_t>(q) * lists.capacity + entry;
    const uint32_t place = lists.places[listed];
    const DocumentRange document = document_at(search, search.rows != nullptr ? search.rows[place] : place);
    if (document.segment->vectors == nullptr) continue;
    const uint32_t vectors = document.end - document.begin;
    double sum = 0;
    for (uint32_t panel = 0; panel < panels; ++panel) {
      const uint32_t first = panel * kPanelVectors;
      const uint32_t own =
          query.vector_count - first < kPanelVectors ? query.vector_count - first : kPanelVectors;
      __syncthreads();
      if (threadIdx.x == 0) shared.rival_count = 0;
      if (threadIdx.x < kPanelVectors) shared.best[threadIdx.x] = 0;
      if (query.coded != 0) load_panel(search, query.first_panel + panel, codes, shared.queries);
      __syncthreads();
      if (query.coded != 0) {
        find_panel_maxima(search, document, codes, shared.queries, &shared.maxima);
        for_each_interval(search, document, codes, shared.queries,
                          [&](unsigned, unsigned v, uint32_t position, const Interval& interval) {
                            if (v >= own || interval.upper < shared.maxima.lowers[0][v]) return;
                            const uint32_t at = atomicAdd(&shared.rival_count, 1u);
                            if (at < kMostRivals) shared.rivals[at] = {v, position};
                          });
        __syncthreads();
      }
      if (query.coded != 0 && shared.rival_count <= kMostRivals) {
        compare(
            search, document, query.first_vector + first, shared.rival_count,
            [&](uint32_t i) { return shared.rivals[i]; }, &shared);
      } else {
        compare(
            search, document, query.first_vector + first, own * vectors,
            [&](uint32_t i) {
              return Rival{i % own, i / own};
            },
            &shared);
      }
      __syncthreads();
      if (threadIdx.x == 0) {
        for (uint32_t v = 0; v < own; ++v) {
          const unsigned long long best = shared.best[v];
          const float similarity = best != 0 ? similarity_of_key(best) : __uint_as_float(0xff800000u);
          sum += static_cast<double>(similarity);
          if (matches.vectors == nullptr) continue;
          matches.vectors[listed * matches.stride + first + v] =
              best != 0 ? position_of_key(best) : 0xffffffffu;
          matches.similarities[listed * matches.stride + first + v] = similarity;
        }
      }
    }
    if (threadIdx.x != 0) continue;
    if (document.segment->row_biases != nullptr)
      sum += static_cast<double>(document.segment->row_biases[document.index]);
    scores[static_cast<std::size_t>(q) * stride + place] =
        sum == sum ? static_cast<float>(sum) : __uint_as_float(0xff800000u);
  }
}

}  // namespace

cudaError_t launch_refine_documents(const DocumentArguments& search, const DocumentLists& lists,
                                    uint32_t most_listed, float* scores, uint32_t stride,
                                    const MatchArrays& matches, cudaStream_t stream) {
  const std::size_t bytes = search.coded != 0 ? panel_shared_bytes(search.dimension) : 0;
  if (const cudaError_t error = allow_shared_memory(reinterpret_cast<const void*>(refine_documents), bytes);
      error != cudaSuccess) {
    return error;
  }
  const unsigned blocks = most_listed < 1 ? 1 : most_listed < kMostBlocks ? most_listed : kMostBlocks;
  return launch(refine_documents, dim3(blocks, search.query_count), dim3(kPanelThreads), bytes, stream,
                search, lists, scores, stride, matches);
}

}  // namespace granule::cuda
