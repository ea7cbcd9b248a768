#include "backends/cuda/scan_graphs.h"

namespace granule::cuda {
namespace {

/// Of one workspace.
constexpr std::size_t kKept = 8;

}  // namespace

std::vector<Graph>* ScanGraphs::find(const std::shared_ptr<const SnapshotTables>& tables,
                                     const ScanShape& shape) {
  entries_.remove_if([](const Entry& entry) { return entry.tables.expired(); });
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (entry->tables.lock() != tables || !(entry->shape == shape)) continue;
    entries_.splice(entries_.begin(), entries_, entry);
    return &entry->graphs;
  }
  return nullptr;
}

void ScanGraphs::add(const std::shared_ptr<const SnapshotTables>& tables, const ScanShape& shape,
                     std::size_t parts) {
  entries_.push_front({tables, shape, std::vector<Graph>(parts)});
  if (entries_.size() > kKept) entries_.pop_back();
}

}  // namespace granule::cuda
