#include "backends/cuda/resident_segments.h"

#include <algorithm>
#include <vector>

#include "backends/cuda/device_layout.h"
#include "backends/cuda/quantize_rows.cuh"
#include "core/code_layout.h"
#include "core/dtype.h"
#include "core/scan_bias.h"
#include "core/score.h"

namespace granule::cuda {
namespace {

/// Memory of a device that vectors leave free, for searches and for the codes of what is added later.
constexpr std::size_t kKeptFree = std::size_t{256} << 20;
/// And at least this share of it.
constexpr std::size_t kKeptShare = 10;
/// Bytes of vectors that are on the device at a time where they do not stay there.
constexpr std::size_t kPassingBytes = std::size_t{32} << 20;

std::size_t vectors_of(const granule_segment& segment) {
  return segment.row_offsets != nullptr ? segment.row_offsets[segment.row_count] : segment.row_count;
}

std::size_t vector_bytes(const granule_search& search) {
  return bytes_of(static_cast<Dtype>(search.dtype)) * search.dimension;
}

std::size_t free_memory(std::size_t* total_bytes = nullptr) {
  std::size_t free = 0;
  std::size_t total = 0;
  check(cudaMemGetInfo(&free, &total), "the device's memory is unknown");
  if (total_bytes != nullptr) *total_bytes = total;
  return free;
}

bool has_room_for(std::size_t bytes) {
  std::size_t total = 0;
  const std::size_t free = free_memory(&total);
  return free >= bytes + std::min(kKeptFree, total / kKeptShare);
}

bool has_biases(const granule_search& search, const granule_segment& segment) {
  return static_cast<Metric>(search.metric) == Metric::squared_l2 ||
         (segment.row_offsets == nullptr && segment.row_biases != nullptr);
}

void verify(const granule_segment& segment, std::size_t first, std::size_t count) {
  if (segment.verify != nullptr && segment.verify(segment.owner, first, count) == 0) throw Damaged();
}

}  // namespace

SegmentView ResidentSegment::view(const granule_segment& segment, uint32_t first_tile) const {
  return {codes.data(),
          scales.data(),
          residual_norms.data(),
          code_norms.data(),
          biases.data(),
          vectors.data(),
          squared_norms.data(),
          row_biases.data(),
          row_offsets.data(),
          static_cast<uint32_t>(segment.first_row),
          static_cast<uint32_t>(segment.row_count),
          first_tile,
          static_cast<uint32_t>(vectors_of(segment))};
}

std::shared_ptr<const ResidentSegment> ResidentSegments::ensure(const granule_search& search,
                                                                const granule_segment& segment) {
  std::shared_ptr<Slot> slot;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::shared_ptr<Slot>& own = slots_[segment.id];
    if (own == nullptr) own = std::make_shared<Slot>();
    slot = own;
  }
  // Other searches wait where they need the same segment, and only there.
  const std::lock_guard<std::mutex> lock(slot->mutex);
  std::shared_ptr<ResidentSegment>& resident = slot->resident;
  const std::size_t vectors = vectors_of(segment);
  if (resident != nullptr && resident->row_count >= segment.row_count) return resident;
  const bool lacks_biases =
      resident != nullptr && ((resident->biases.size() == 0 && has_biases(search, segment)) ||
                              (resident->row_biases.size() == 0 && segment.row_biases != nullptr));
  if (resident == nullptr || resident->capacity < vectors || lacks_biases) {
    // A segment that grows is made anew, with room for as much again; searches under way keep the former one.
    const std::size_t capacity = resident != nullptr ? std::max(vectors, 2 * resident->capacity) : vectors;
    resident = make(search, segment, DeviceLayout::tiles(capacity) * DeviceLayout::kTileRows);
  }
  append(search, segment, resident.get());
  return resident;
}

std::shared_ptr<ResidentSegment> ResidentSegments::make(const granule_search& search,
                                                        const granule_segment& segment,
                                                        std::size_t capacity) {
  auto out = std::make_shared<ResidentSegment>();
  out->capacity = capacity;
  out->codes = DeviceArray<int8_t>(DeviceLayout::tiles(capacity) * DeviceLayout::tile_bytes(search.dimension),
                                   memory_stream_);
  out->scales = DeviceArray<float>(capacity, memory_stream_);
  out->residual_norms = DeviceArray<float>(capacity, memory_stream_);
  out->code_norms = DeviceArray<float>(capacity, memory_stream_);
  if (has_biases(search, segment)) out->biases = DeviceArray<float>(capacity, memory_stream_);
  if (segment.squared_norms != nullptr) out->squared_norms = DeviceArray<double>(capacity, memory_stream_);
  if (segment.row_biases != nullptr) out->row_biases = DeviceArray<float>(capacity, memory_stream_);
  if (segment.row_offsets != nullptr) out->row_offsets = DeviceArray<uint64_t>(capacity + 1, memory_stream_);
  // Vectors in files stay there: only what a search looks at is read.
  if (segment.verify == nullptr && has_room_for(capacity * vector_bytes(search))) {
    try {
      out->vectors = DeviceArray<uint8_t>(capacity * vector_bytes(search), memory_stream_);
    } catch (const CudaFailure& failure) {
      // Another search may have taken the room meanwhile.
      if (failure.error != cudaErrorMemoryAllocation) throw;
    }
  }
  return out;
}

void ResidentSegments::append(const granule_search& search, const granule_segment& segment,
                              ResidentSegment* resident) {
  const std::size_t first = resident->vector_count;
  const std::size_t end = vectors_of(segment);
  const std::size_t first_row = resident->row_count;
  const std::size_t rows = segment.row_count - first_row;
  const Stream stream;
  std::vector<float> biases;
  HostUploads uploads(search, stream);
  append_vectors(search, segment, first, end, stream, &uploads, resident);
  const auto copy = [&](const auto* from, std::size_t at, std::size_t count, const auto& to) {
    if (from != nullptr) uploads.copy(from + at, count, to.data() + at, HostMemory::lasting);
  };
  copy(segment.squared_norms, first, end - first, resident->squared_norms);
  copy(segment.row_biases, first_row, rows, resident->row_biases);
  copy(segment.row_offsets, first_row, rows + 1, resident->row_offsets);
  if (resident->biases.size() != 0) {
    biases.resize(end - first);
    for (std::size_t v = first; v < end; ++v) {
      const double row_bias = segment.row_offsets == nullptr && segment.row_biases != nullptr
                                  ? static_cast<double>(segment.row_biases[v])
                                  : 0.0;
      const double squared_norm = segment.squared_norms != nullptr ? segment.squared_norms[v] : 0.0;
      if (!scan_bias(row_bias, squared_norm, &biases[v - first])) resident->in_range = false;
    }
    uploads.copy(biases.data(), biases.size(), resident->biases.data() + first, HostMemory::passing);
  }
  uploads.wait();
  resident->vector_count = end;
  resident->row_count = segment.row_count;
}

void ResidentSegments::append_vectors(const granule_search& search, const granule_segment& segment,
                                      std::size_t first, std::size_t end, const Stream& stream,
                                      HostUploads* uploads, ResidentSegment* resident) {
  const std::size_t bytes = vector_bytes(search);
  const auto dtype = static_cast<Dtype>(search.dtype);
  const auto* const vectors = static_cast<const uint8_t*>(segment.vectors);
  const CodedRows coded{resident->codes.data(), resident->scales.data(), resident->residual_norms.data(),
                        resident->code_norms.data()};
  DeviceArray<uint8_t> room;
  DeviceArray<uint32_t> out_of_range(1, memory_stream_);
  const WaitAtEnd wait(stream);
  check(cudaMemsetAsync(out_of_range.data(), 0, sizeof(uint32_t), stream), "the device failed");
  const auto quantize = [&](const void* on_device, std::size_t from, std::size_t to) {
    check(launch_quantize_rows(on_device, dtype, search.dimension, static_cast<uint32_t>(from),
                               static_cast<uint32_t>(to), coded, out_of_range.data(), stream),
          "quantising on the device failed");
  };
  std::size_t at = first;
  if (resident->vectors.size() != 0) {
    // Codes could come along, but they are a quarter as much again, and made from vectors in no time.
    uploads->copy(vectors + at * bytes, (end - at) * bytes, resident->vectors.data() + at * bytes,
                  HostMemory::lasting);
    quantize(resident->vectors.data() + at * bytes, at, end);
    at = end;
  }
  // Where vectors do not stay, the codes that the host has spare reading them.
  constexpr std::size_t kBlock = CodeLayout::kBlockRows;
  const std::size_t block_bytes = CodeLayout::block_bytes(search.dimension);
  const std::size_t coded_begin = (at + kBlock - 1) / kBlock * kBlock;
  const std::size_t coded_end = std::min<std::size_t>(end, segment.coded_vector_count);
  if (at < end) {
    const std::size_t most = std::max(kBlock * bytes, block_bytes);
    room = DeviceArray<uint8_t>(std::max(most, std::min(free_memory() / 4, kPassingBytes)), memory_stream_);
  }
  while (at < end) {
    std::size_t to;
    if (at >= coded_begin && at < coded_end) {
      to = std::min(coded_end, at + room.size() / block_bytes * kBlock);
      uploads->copy(segment.codes + at / kBlock * block_bytes, (to - at) / kBlock * block_bytes, room.data(),
                    HostMemory::lasting);
      check(launch_arrange_codes(room.data(), search.dimension, static_cast<uint32_t>(at),
                                 static_cast<uint32_t>(to), resident->codes.data(), stream),
            "arranging codes on the device failed");
      const auto copy = [&](const float* from, const DeviceArray<float>& out) {
        uploads->copy(from + at, to - at, out.data() + at, HostMemory::lasting);
      };
      copy(segment.scales, resident->scales);
      copy(segment.residual_norms, resident->residual_norms);
      copy(segment.code_norms, resident->code_norms);
    } else {
      const std::size_t limit = at < coded_begin && coded_begin < coded_end ? coded_begin : end;
      to = std::min(limit, at + room.size() / bytes);
      verify(segment, at, to - at);
      uploads->copy(vectors + at * bytes, (to - at) * bytes, room.data(),
                    segment.verify == nullptr ? HostMemory::lasting : HostMemory::passing);
      quantize(room.data(), at, to);
    }
    uploads->wait();
    at = to;
  }
  uint32_t flag = 0;
  check(cudaMemcpyAsync(&flag, out_of_range.data(), sizeof flag, cudaMemcpyDeviceToHost, stream),
        "the device failed");
  stream.wait();
  if (flag != 0) resident->in_range = false;
}

bool ResidentSegments::release(uint64_t id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return slots_.erase(id) != 0 && slots_.empty();
}

}  // namespace granule::cuda
