#pragma once

#include <memory>
#include <vector>

#include "backends/backend.h"
#include "backends/cuda/device.h"

namespace granule::cuda {

/// Searches documents by MaxSim on all devices; each scores those that it holds.
///
/// @throws CudaFailure, Cancelled, Damaged, std::bad_alloc
void search_documents(const std::vector<std::unique_ptr<Device>>& devices, const granule_search& search,
                      granule_hits* hits);

}  // namespace granule::cuda
