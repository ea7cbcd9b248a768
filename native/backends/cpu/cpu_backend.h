#pragma once

#include "backends/backend.h"
#include "core/thread_pool.h"
#include "kernels/kernel_table.h"

namespace granule {

/// The CPU as a backend. @param kernels and @param pool must outlive it.
granule_backend open_cpu_backend(const KernelTable& kernels, ThreadPool& pool);

/// What the scans share: which kernels, which threads.
struct CpuBackend {
  const KernelTable& kernels;
  ThreadPool& pool;
};

/// Scores rows that are one vector each (flat_scan.cc). @throws std::bad_alloc
granule_result flat_scan(const CpuBackend& backend, const granule_search& search, granule_hits& hits);

/// Whether segments have codes that are worth scanning.
bool codes_serve(const granule_search& search);

/// As flat_scan, with the same results, from int8 codes and few full vectors (certified_scan.cc). @throws
/// std::bad_alloc
granule_result certified_scan(const CpuBackend& backend, const granule_search& search, granule_hits& hits);

/// The same two for documents: bounds from codes, then the reference for few (certified_maxsim.cc). @throws
/// std::bad_alloc
bool codes_serve_documents(const granule_search& search);
granule_result certified_maxsim(const CpuBackend& backend, const granule_search& search, granule_hits& hits);

/// Scores documents by MaxSim (maxsim_scan.cc). @throws std::bad_alloc
granule_result maxsim_scan(const CpuBackend& backend, const granule_search& search, granule_hits& hits);

/// Sums of exponentials over rows that are one vector each (row_terms.cc), and over documents
/// (document_terms.cc). @throws std::bad_alloc
granule_result sum_row_terms(const CpuBackend& backend, const granule_term_search& request,
                             granule_term_sum* sums);
granule_result sum_document_terms(const CpuBackend& backend, const granule_term_search& request,
                                  granule_term_sum* sums);

}  // namespace granule
