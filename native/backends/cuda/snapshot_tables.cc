#include "backends/cuda/snapshot_tables.h"

#include <algorithm>
#include <utility>

#include "backends/cuda/device_layout.h"

namespace granule::cuda {
namespace {

/// Snapshots whose tables are kept: of some indexes, or of one that is added to.
constexpr std::size_t kKept = 8;

}  // namespace

std::shared_ptr<const SnapshotTables> SnapshotTableStore::get(
    ResidentSegments& segments_on_device, const granule_search& search,
    const std::vector<const granule_segment*>& segments, bool list_rows) {
  std::vector<Part> parts;
  std::vector<std::shared_ptr<const ResidentSegment>> residents;
  for (const granule_segment* segment : segments) {
    parts.push_back({segment->id, segment->first_row, segment->row_count});
    residents.push_back(segments_on_device.ensure(search, *segment));
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (entry->parts != parts) continue;
    // A segment that has grown may lie elsewhere now.
    if (entry->tables->residents != residents) {
      entries_.erase(entry);
      break;
    }
    entries_.splice(entries_.begin(), entries_, entry);
    return entries_.front().tables;
  }
  // Nor do other snapshots hold on to where segments lay before they grew: they make their tables anew.
  entries_.remove_if([&](const Entry& entry) {
    for (std::size_t e = 0; e < entry.parts.size(); ++e) {
      for (std::size_t s = 0; s < parts.size(); ++s) {
        if (entry.parts[e].id == parts[s].id && entry.tables->residents[e] != residents[s]) return true;
      }
    }
    return false;
  });
  entries_.push_front({std::move(parts), make(search, segments, std::move(residents), list_rows)});
  if (entries_.size() > kKept) entries_.pop_back();
  return entries_.front().tables;
}

std::shared_ptr<const SnapshotTables> SnapshotTableStore::make(
    const granule_search& search, const std::vector<const granule_segment*>& segments,
    std::vector<std::shared_ptr<const ResidentSegment>> residents, bool list_rows) {
  auto out = std::make_shared<SnapshotTables>();
  std::vector<SegmentView> views;
  std::vector<uint32_t> segment_of_tile;
  for (std::size_t s = 0; s < segments.size(); ++s) {
    const granule_segment& segment = *segments[s];
    views.push_back(residents[s]->view(segment, static_cast<uint32_t>(segment_of_tile.size())));
    segment_of_tile.insert(segment_of_tile.end(), DeviceLayout::tiles(views.back().vector_count),
                           static_cast<uint32_t>(s));
    out->row_count += segment.row_count;
    out->in_range = out->in_range && residents[s]->in_range;
    out->has_vectors = out->has_vectors && residents[s]->vectors.size() != 0;
    for (uint64_t i = 0; list_rows && i < segment.row_count; ++i)
      out->rows.push_back(static_cast<uint32_t>(segment.first_row + i));
  }
  out->residents = std::move(residents);
  const auto upload = [&]<typename T>(const std::vector<T>& from, DeviceArray<T>* to) {
    *to = DeviceArray<T>(from.size(), memory_stream_);
    if (from.empty()) return;
    check(cudaMemcpyAsync(to->data(), from.data(), to->bytes(), cudaMemcpyHostToDevice, stream_),
          "a copy to the device failed");
  };
  const WaitAtEnd wait(stream_);
  upload(views, &out->segments);
  // Documents are found by their rows.
  if (search.query_offsets == nullptr) upload(segment_of_tile, &out->segment_of_tile);
  upload(out->rows, &out->device_rows);
  stream_.wait();
  return out;
}

void SnapshotTableStore::release(uint64_t id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  entries_.remove_if([&](const Entry& entry) {
    return std::any_of(entry.parts.begin(), entry.parts.end(),
                       [id](const Part& part) { return part.id == id; });
  });
}

}  // namespace granule::cuda
