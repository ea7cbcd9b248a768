#pragma once

#include <string>
#include <vector>

#include "backends/backend.h"
#include "core/thread_pool.h"
#include "kernels/kernel_table.h"

namespace granule {

/// A known backend: usable, or with the reason why not.
struct BackendEntry {
  std::string name;
  bool available = false;
  std::string reason;
  int32_t score = 0;
  granule_backend backend{};
};

/// All backends, best first: the CPU's, which is always there, and those found in shared libraries. One
/// registry belongs to one instance of the addon.
class BackendRegistry {
 public:
  /// @param kernels and @param pool must outlive the registry
  /// @param library_folder where the shared libraries of other backends are looked for
  BackendRegistry(const KernelTable& kernels, ThreadPool& pool, const std::string& library_folder);
  ~BackendRegistry();
  BackendRegistry(const BackendRegistry&) = delete;
  BackendRegistry& operator=(const BackendRegistry&) = delete;

  const std::vector<BackendEntry>& entries() const { return entries_; }
  /// The entry called `name`, or null.
  const BackendEntry* find(const std::string& name) const;

 private:
  std::vector<BackendEntry> entries_;
};

/// Opens the backend in the shared library at `path`; a refusal carries its reason.
BackendEntry open_backend_library(const std::string& name, const std::string& path);

}  // namespace granule
