#include "backends/cuda/document_panel.cuh"
#include "backends/cuda/maxsim_bounds.cuh"
#include "backends/cuda/shared_memory.h"

namespace granule::cuda {
namespace {

constexpr unsigned kListThreads = 256;
constexpr unsigned kMostListBlocks = 256;

__device__ float score_of_sum(double sum) {
  // As the reference: what has no sum ranks last.
  return sum == sum ? static_cast<float>(sum) : __uint_as_float(0xff800000u);
}

__global__ void __launch_bounds__(kPanelThreads)
    maxsim_bounds(const DocumentArguments search, float* uppers, float* lowers, const uint32_t stride) {
  __shared__ PanelMaxima maxima;
  __shared__ ScanQuery queries[kPanelVectors];
  int4* const codes = reinterpret_cast<int4*>(dynamic_shared_memory());
  const uint32_t q = blockIdx.y;
  const DocumentQuery query = search.queries[q];
  const uint32_t panels = (query.vector_count + kPanelVectors - 1) / kPanelVectors;
  uint32_t loaded = 0xffffffffu;
  for (uint32_t place = blockIdx.x; place < search.row_count; place += gridDim.x) {
    const uint32_t row = search.rows != nullptr ? search.rows[place] : place;
    float* const upper = uppers + static_cast<std::size_t>(q) * stride + place;
    float* const lower = lowers + static_cast<std::size_t>(q) * stride + place;
    if (!is_allowed(search.filter, row) || query.coded == 0) {
      const bool allowed = is_allowed(search.filter, row);
      if (threadIdx.x == 0) {
        *upper = __uint_as_float(allowed ? 0x7f800000u : 0x7fc00000u);
        *lower = __uint_as_float(allowed ? 0xff800000u : 0x7fc00000u);
      }
      continue;
    }
    const DocumentRange document = document_at(search, row);
    double upper_sum = 0;
    double lower_sum = 0;
    for (uint32_t panel = 0; panel < panels; ++panel) {
      if (loaded != panel) {
        __syncthreads();
        load_panel(search, query.first_panel + panel, codes, queries);
        loaded = panel;
        __syncthreads();
      }
      find_panel_maxima(search, document, codes, queries, &maxima);
      if (threadIdx.x == 0) {
        const uint32_t left = query.vector_count - panel * kPanelVectors;
        for (uint32_t v = 0; v < kPanelVectors && v < left; ++v) {
          upper_sum += static_cast<double>(maxima.uppers[0][v]);
          lower_sum += static_cast<double>(maxima.lowers[0][v]);
        }
      }
      __syncthreads();
    }
    if (threadIdx.x != 0) continue;
    if (document.segment->row_biases != nullptr) {
      upper_sum += static_cast<double>(document.segment->row_biases[document.index]);
      lower_sum += static_cast<double>(document.segment->row_biases[document.index]);
    }
    *upper = score_of_sum(upper_sum);
    *lower = score_of_sum(lower_sum);
  }
}

__global__ void __launch_bounds__(kListThreads)
    list_documents(const float* bounds, const uint32_t count, const uint32_t stride, const uint32_t* from,
                   const uint32_t* below, const ListedDocuments out) {
  const uint32_t q = blockIdx.y;
  const uint32_t least = from[q];
  // Zero is below every number.
  const uint32_t limit = below != nullptr ? below[q] : 0;
  for (uint32_t place = blockIdx.x * kListThreads + threadIdx.x; place < count;
       place += gridDim.x * kListThreads) {
    const float bound = bounds[static_cast<std::size_t>(q) * stride + place];
    if (bound != bound) continue;
    const uint32_t key = ordered_key(__float_as_uint(bound));
    if (key < least || (below != nullptr && key >= limit)) continue;
    const uint32_t at = atomicAdd(out.counts + q, 1u);
    if (at >= out.capacity) continue;
    out.places[static_cast<std::size_t>(q) * out.capacity + at] = place;
    if (out.bounds != nullptr) out.bounds[static_cast<std::size_t>(q) * out.capacity + at] = bound;
  }
}

}  // namespace

std::size_t panel_shared_bytes(uint32_t dimension) {
  return std::size_t{DeviceLayout::steps(dimension)} * DeviceLayout::kStep * kPanelVectors;
}

cudaError_t launch_maxsim_bounds(const DocumentArguments& search, float* uppers, float* lowers,
                                 uint32_t stride, unsigned blocks, cudaStream_t stream) {
  const std::size_t shared = search.coded != 0 ? panel_shared_bytes(search.dimension) : 0;
  if (const cudaError_t error = allow_shared_memory(reinterpret_cast<const void*>(maxsim_bounds), shared);
      error != cudaSuccess) {
    return error;
  }
  return launch(maxsim_bounds, dim3(blocks, search.query_count), dim3(kPanelThreads), shared, stream, search,
                uppers, lowers, stride);
}

cudaError_t launch_list_documents(const float* bounds, uint32_t count, uint32_t stride, const uint32_t* from,
                                  const uint32_t* below, const ListedDocuments& out, uint32_t query_count,
                                  cudaStream_t stream) {
  const unsigned wanted = (count + kListThreads - 1) / kListThreads;
  const unsigned blocks = wanted < 1 ? 1 : wanted < kMostListBlocks ? wanted : kMostListBlocks;
  return launch(list_documents, dim3(blocks, query_count), dim3(kListThreads), 0, stream, bounds, count,
                stride, from, below, out);
}

}  // namespace granule::cuda
