#pragma once

#include <memory>
#include <vector>

#include "backends/backend.h"
#include "backends/cuda/device.h"

namespace granule::cuda {

/// Sums the terms of all rows of a search, each device those of the segments that it holds; vectors that stay
/// with the host are scored there.
///
/// @throws CudaFailure, Cancelled, Damaged, std::bad_alloc
void sum_terms(const std::vector<std::unique_ptr<Device>>& devices, const granule_term_search& request,
               granule_term_sum* sums);

}  // namespace granule::cuda
