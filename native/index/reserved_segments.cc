#include "index/reserved_segments.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace granule {
namespace {

/// Bytes that one task touches between two looks at the cancel flag.
constexpr std::size_t kTaskBytes = std::size_t{4} << 20;
/// No system has smaller pages.
constexpr std::size_t kPageBytes = 4096;

struct Range {
  volatile uint8_t* begin;
  std::size_t bytes;
};

template <typename T>
void divide(AlignedBuffer<T>& buffer, std::vector<Range>* ranges) {
  auto* const data = reinterpret_cast<uint8_t*>(buffer.data());
  for (std::size_t at = 0; at < buffer.bytes(); at += kTaskBytes)
    ranges->push_back({data + at, std::min(kTaskBytes, buffer.bytes() - at)});
}

}  // namespace

std::shared_ptr<Segment> ReservedSegments::take(std::size_t vectors) {
  const auto found = std::find_if(segments_.begin(), segments_.end(), [vectors](const auto& segment) {
    return segment->vector_capacity >= vectors;
  });
  if (found == segments_.end()) return nullptr;
  std::shared_ptr<Segment> segment = std::move(*found);
  segments_.erase(found);
  return segment;
}

void ReservedSegments::put(std::vector<std::shared_ptr<Segment>> segments) {
  segments_.insert(segments_.end(), segments.begin(), segments.end());
}

std::size_t ReservedSegments::vector_capacity() const {
  std::size_t sum = 0;
  for (const auto& segment : segments_) sum += segment->vector_capacity;
  return sum;
}

std::size_t ReservedSegments::bytes() const {
  std::size_t sum = 0;
  for (const auto& segment : segments_) {
    // No rows, but all their memory.
    sum += segment->bytes_of(1, segment->vector_capacity);
  }
  return sum;
}

void touch_segments(Engine& engine, const std::vector<std::shared_ptr<Segment>>& segments, unsigned threads,
                    const CancelFlag& cancel) {
  std::vector<Range> ranges;
  for (const auto& segment : segments) {
    divide(segment->vectors, &ranges);
    divide(segment->codes, &ranges);
    divide(segment->scales, &ranges);
    divide(segment->residual_norms, &ranges);
    divide(segment->code_norms, &ranges);
    divide(segment->squared_norms, &ranges);
    divide(segment->biases, &ranges);
  }
  engine.pool.parallel_for(ranges.size(), threads, [&](std::size_t r) {
    if (cancel.cancelled()) return;
    for (std::size_t at = 0; at < ranges[r].bytes; at += kPageBytes) ranges[r].begin[at] = 0;
  });
}

}  // namespace granule
