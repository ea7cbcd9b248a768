#include "backends/backend_registry.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "backends/cpu/cpu_backend.h"
#include "backends/shared_library.h"

namespace granule {
namespace {

constexpr std::size_t kReasonSize = 512;

/// CPU scores 1: any device that can run here is preferred to it.
constexpr int32_t kCpuScore = 1;

BackendEntry find_cuda(const std::string& library_folder) {
  const char* chosen = std::getenv("GRANULE_CUDA_LIBRARY");
  if (chosen != nullptr && *chosen != '\0') return open_backend_library("cuda", chosen);
  return open_backend_library("cuda", library_folder + "/" + shared_library_file("granule_cuda"));
}

}  // namespace

BackendEntry open_backend_library(const std::string& name, const std::string& path) {
  BackendEntry entry;
  entry.name = name;
  std::string error;
  void* library = load_shared_library(path, &error);
  if (library == nullptr) {
    entry.reason = "its library could not be loaded: " + error;
    return entry;
  }
  const auto function =
      reinterpret_cast<granule_backend_entry_function>(find_symbol(library, "granule_backend_entry"));
  const granule_backend_library* exported = function != nullptr ? function() : nullptr;
  if (exported == nullptr) {
    entry.reason = path + " is not a Granule backend: it exports no granule_backend_entry";
    return entry;
  }
  if (exported->abi != GRANULE_BACKEND_ABI) {
    entry.reason = path + " speaks version " + std::to_string(exported->abi) +
                   " of the backend interface, this addon speaks " + std::to_string(GRANULE_BACKEND_ABI);
    return entry;
  }
  char reason[kReasonSize] = "";
  entry.score = exported->score(reason, sizeof reason);
  if (entry.score > 0 && exported->open(&entry.backend, reason, sizeof reason) != 0) entry.available = true;
  entry.reason = reason;
  return entry;
}

BackendRegistry::BackendRegistry(const KernelTable& kernels, ThreadPool& pool,
                                 const std::string& library_folder) {
  BackendEntry cpu;
  cpu.name = "cpu";
  cpu.available = true;
  cpu.score = kCpuScore;
  cpu.reason = std::string("always there; kernels for ") + isa_name(kernels.isa);
  cpu.backend = open_cpu_backend(kernels, pool);
  entries_.push_back(std::move(cpu));
  entries_.push_back(find_cuda(library_folder));
  std::stable_sort(entries_.begin(), entries_.end(), [](const BackendEntry& a, const BackendEntry& b) {
    return (a.available ? a.score : 0) > (b.available ? b.score : 0);
  });
}

BackendRegistry::~BackendRegistry() {
  for (const BackendEntry& entry : entries_) {
    if (entry.available) entry.backend.destroy(entry.backend.self);
  }
}

const BackendEntry* BackendRegistry::find(const std::string& name) const {
  for (const BackendEntry& entry : entries_) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

}  // namespace granule
