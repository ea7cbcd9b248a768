#pragma once

#include <string>

#include "backends/backend_registry.h"
#include "core/thread_pool.h"
#include "kernels/kernel_table.h"

namespace granule {

/// What the indexes of one addon instance share: threads, kernels, backends. Indexes keep it alive.
struct Engine {
  Engine(KernelChoice choice, CpuFeatures cpu_features, const std::string& library_folder)
      : features(cpu_features), kernels(std::move(choice)), backends(*kernels.table, pool, library_folder) {}

  CpuFeatures features;
  KernelChoice kernels;
  ThreadPool pool;
  BackendRegistry backends;
};

}  // namespace granule
