#pragma once

#include <vector>

#include "backends/backend.h"

namespace granule::cuda {

/// A row whose vector stays with the host, and a query.
struct HostRow {
  const granule_segment* segment;
  uint32_t row;
  /// In the search.
  uint64_t query;
  /// |q|^2 for squared L2, otherwise not used.
  double query_squared_norm;
  float score;
};

/// Fills in the reference scores, on as many threads as the search may use.
///
/// @throws Damaged, Cancelled
void score_on_host(const granule_search& search, std::vector<HostRow>* rows);

/// A document whose vectors stay with the host, and a query.
struct HostDocument {
  const granule_segment* segment;
  uint32_t row;
  uint64_t query;
  /// Receive the match of each of the query's vectors; null: not wanted.
  uint32_t* matched_vectors;
  float* matched_similarities;
  float score;
};

/// Fills in the reference MaxSim scores, and the matches that are wanted, on as many threads as the search
/// may use.
///
/// @throws Damaged, Cancelled
void score_on_host(const granule_search& search, std::vector<HostDocument>* documents);

}  // namespace granule::cuda
