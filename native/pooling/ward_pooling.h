#pragma once

#include <cstddef>
#include <cstdint>

#include "core/cancel_flag.h"

namespace granule {

/// Divides points into exactly `clusters` groups by hierarchical clustering with Ward's linkage: the two
/// groups A and B whose union adds least to the sum of squared distances to the means are joined first,
///
///     delta(A, B) = |A| |B| / (|A| + |B|) * |mean(A) - mean(B)|^2
///
/// Nearest-neighbour chain over the matrix of 2 delta, kept up by the formula of Lance and Williams: O(n^2)
/// time after the n (n - 1) / 2 distances, which take n (n - 1) / 2 float64 of memory. A group is named after
/// its lowest point; of equal distances the predecessor in the chain wins, then the lowest name, and of equal
/// joins the earlier in the chain.
///
/// @param points count x dimension
/// @param clusters from 1 to count
/// @param labels count names of groups: the group's lowest point
/// @return false where cancelled; `labels` then holds nothing of use
/// @throws std::bad_alloc
bool ward_labels(const double* points, std::size_t count, std::size_t dimension, std::size_t clusters,
                 const CancelFlag& cancel, uint32_t* labels);

}  // namespace granule
